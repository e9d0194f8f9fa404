"""Every text key that is used exists, and every one that exists is used."""

import re

from idp.base.texts import load_texts
from tests.architecture.source import ROOT, literals, modules, name, without_comments

FOLDER = ROOT / "templates/texts"
TEMPLATES = sorted(
    path for kind in ("html", "txt") for path in (ROOT / "templates").rglob(f"*.{kind}")
)
KEY = re.compile(r"[a-z_]+(?:\.[a-zA-Z0-9_]+)+\.?")
QUOTED = re.compile(r"""["']([a-z_]+(?:\.[a-zA-Z0-9_]+)+\.?)["']""")


def _keys():
    return load_texts(FOLDER).keys("ja")


def test_every_key_in_a_template_exists():
    """A template may also hold the beginning of keys, to which it adds the last part."""
    keys = _keys()
    areas = {key.partition(".")[0] for key in keys}
    unknown = [
        f"{name(path)}: {used}"
        for path in TEMPLATES
        for used in QUOTED.findall(without_comments(path))
        if used.partition(".")[0] in areas
        and used not in keys
        and not any(key.startswith(used.rstrip(".") + ".") for key in keys)
        and not used.endswith((".html", ".txt", ".css", ".js", ".svg"))
    ]
    assert unknown == []


def test_every_key_is_used():
    keys = _keys()
    written = {used for path in TEMPLATES for used in QUOTED.findall(without_comments(path))}
    for path in modules("idp"):
        written.update(literal for literal in literals(path) if KEY.fullmatch(literal))
    beginnings = tuple({used.rstrip(".") + "." for used in written if used not in keys})
    unused = sorted(key for key in keys if key not in written and not key.startswith(beginnings))
    assert unused == []
