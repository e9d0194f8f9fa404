"""Apache with Debian's mod_auth_openidc, unmodified, protects a page and hears of sign-outs."""

import os
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.chromium import open_context
from tests.interop.libraries import written
from tests.serving import Port, wait_for_port

CONFIGURATION = Path(__file__).parent / "apache.conf"
pytestmark = pytest.mark.interop

MODULES = "/usr/lib/apache2/modules"
PAGE = """<!doctype html><title>protected</title>
sub=<!--#echo var="REMOTE_USER" --> name=<!--#echo var="OIDC_CLAIM_name" -->
iss=<!--#echo var="OIDC_CLAIM_iss" -->
household=<!--#echo encoding="none" var="OIDC_CLAIM_kosodate_household" -->
"""


class Apache:
    """One Apache with a folder and a port of its own."""

    def __init__(self, folder):
        self.folder = folder
        self.port = Port()
        # Another site than the provider's, as browsers see it: no cookie of ours in its frames.
        self.origin = f"http://localhost:{self.port.number}"
        self.page = f"{self.origin}/protected/index.shtml"
        pages = folder / "pages"
        (pages / "protected").mkdir(parents=True)
        (pages / "protected/index.shtml").write_text(PAGE, encoding="utf-8")
        (pages / "left.html").write_text("<!doctype html><title>left</title>left")
        self.process = None

    def start(self, issuer, secret):
        """Run it with the lines that the document has for such a service."""
        lines = written("OIDCProviderMetadataURL", "apache")
        lines = lines.replace("https://login.example.jp", issuer)
        values = {
            "folder": self.folder,
            "port": self.port.number,
            "modules": MODULES,
            "run_as": "User www-data" if os.geteuid() == 0 else "",
            "service": lines.replace("https://booking.example.jp", self.origin),
        }
        text = CONFIGURATION.read_text(encoding="utf-8")
        for name, value in values.items():
            text = text.replace(f"{{{name}}}", str(value))
        configuration = self.folder / "apache.conf"
        configuration.write_text(text, encoding="utf-8")
        self.port.close()  # taken over by Apache
        binary = shutil.which("apache2") or "/usr/sbin/apache2"
        self.process = subprocess.Popen(
            [binary, "-f", str(configuration), "-D", "FOREGROUND"],
            stderr=subprocess.DEVNULL,
            env=os.environ | {"SERVICE_SECRET": secret, "SESSION_KEY": "only-for-this-test-run"},
        )
        wait_for_port(self.port.number, self.process)

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=20)


#: What a service is told by, and the address of the module that takes it.
FRONT = {"frontchannel_logout_uri": "logout=get", "frontchannel_logout_session_required": True}
BACK = {"backchannel_logout_uri": "logout=backchannel", "backchannel_logout_session_required": True}


@contextmanager
def running(provider, **channel):
    """Run Apache as a service that is told of sign-outs by this channel."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)  # its children read the pages as another user
        apache = Apache(Path(folder))
        back = f"{apache.origin}/protected/back"
        secret = provider.register(
            "care-booking",
            scope="openid profile household",
            redirect_uris=[back],
            post_logout_redirect_uris=[f"{apache.origin}/left.html"],
            **{
                name: f"{back}?{value}" if isinstance(value, str) else value
                for name, value in channel.items()
            },
        )
        apache.start(provider.issuer, secret)
        try:
            yield apache
        finally:
            apache.stop()


@pytest.fixture
def apache(provider):
    with running(provider) as apache:
        yield apache


def test_mod_auth_openidc_protects_a_page_and_signs_out(provider, apache, person):
    person.open(apache.page)
    assert person.page.url.startswith(provider.issuer)
    provider.sign_in(person)
    assert person.page.url == apache.page
    assert "name=佐倉 美咲" in person.page.text
    assert f"iss={provider.issuer}" in person.page.text
    assert '"role": "representative"' in person.page.text.replace('":"', '": "')

    person.open(f"{apache.origin}/protected/back?logout={apache.origin}/left.html")
    assert person.page.url == f"{apache.origin}/left.html"
    person.open(apache.page)
    assert person.path == "/login"


def open_protected(provider, apache, page):
    """Come to the protected page through the provider, in the real browser."""
    page.goto(apache.page)
    provider.sign_in_with(page)
    page.wait_for_url(apache.page)
    assert "name=佐倉 美咲" in page.content()


def test_mod_auth_openidc_is_signed_out_in_a_frame_of_our_page(provider, chromium):
    with running(provider, **FRONT) as apache, open_context(chromium) as context:
        page = context.new_page()
        open_protected(provider, apache, page)
        with page.expect_response(f"{apache.origin}/protected/back?logout=get&**") as loaded:
            provider.sign_out_with(page)
        assert (loaded.value.status, loaded.value.request.is_navigation_request()) == (200, True)
        page.goto(apache.page)
        page.wait_for_url(f"{provider.issuer}/login**")


def test_mod_auth_openidc_is_signed_out_by_our_call(provider, chromium):
    with running(provider, **BACK) as apache, open_context(chromium) as context:
        page = context.new_page()
        open_protected(provider, apache, page)
        provider.sign_out_with(context.new_page())
        page.goto(apache.page)
        # Nobody told it in the browser.
        assert page.url == apache.page
        assert provider.worker.run_once() == 1
        page.goto(apache.page)
        page.wait_for_url(f"{provider.issuer}/login**")


def test_mod_auth_openidc_keeps_the_session_of_another_browser(provider, chromium):
    with (
        running(provider, **BACK, **FRONT) as apache,
        open_context(chromium) as context,
        open_context(chromium) as elsewhere,
    ):
        here, there = context.new_page(), elsewhere.new_page()
        for page in (here, there):
            open_protected(provider, apache, page)
        provider.sign_out_with(here)
        assert provider.worker.run_once() == 1
        there.goto(apache.page)
        assert there.url == apache.page
        here.goto(apache.page)
        here.wait_for_url(f"{provider.issuer}/login**")
