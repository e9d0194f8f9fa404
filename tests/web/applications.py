"""The provider as tests install it: behind https, keys of the tests, hashing made cheap."""

from dataclasses import replace

from jinja2 import BytecodeCache

from idp.app import create_app
from idp.base.secret import to_base64url
from idp.settings.load import build_settings
from idp.web.deps import SERVICES
from tests import factories
from tests.hashers import make_hasher


class CompiledTemplates(BytecodeCache):
    """Compiled templates, kept while the process lives: every test has an application of its own.

    Jinja names them by their source, so that a changed template is compiled anew.
    """

    def __init__(self):
        self._compiled = {}

    def load_bytecode(self, bucket):
        if (compiled := self._compiled.get((bucket.key, bucket.checksum))) is not None:
            bucket.bytecode_from_string(compiled)

    def dump_bytecode(self, bucket):
        self._compiled[bucket.key, bucket.checksum] = bucket.bytecode_to_string()


COMPILED = CompiledTemplates()
ORIGIN = "https://id.kakuu.example.jp"


def settings_for(database_url, **sections):
    """Return settings of an installation behind https; sections may be changed."""
    table = {
        "provider": {"issuer": ORIGIN},
        "database": {"url": database_url},
        "secrets": {
            "master_key": to_base64url(factories.MASTER_KEY),
            "subject_key": to_base64url(factories.SUBJECT_KEY),
            "password_pepper": to_base64url(factories.PEPPER),
        },
        "mail": {"from_address": "noreply@kakuu.example.jp"},
        "limits": {"per_minute": 100_000},
    }
    for name, values in sections.items():
        table[name] = table.get(name, {}) | values
    return build_settings(table, {})


def build_app(database_url, clock, **sections):
    """Build the whole provider on a database that has its tables."""
    app = create_app(settings_for(database_url, **sections), clock)
    app.config["ORIGIN"] = ORIGIN
    app.jinja_env.bytecode_cache = COMPILED
    # The real hasher at a price that a thousand sign-ins can pay.
    app.extensions[SERVICES] = replace(app.extensions[SERVICES], hasher=make_hasher())
    return app
