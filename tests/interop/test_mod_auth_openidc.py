"""Apache with Debian's mod_auth_openidc, unmodified, protects a page and signs out."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from tests.serving import Port, wait_for_port

CONFIGURATION = Path(__file__).parent / "apache.conf"
MODULES = "/usr/lib/apache2/modules"
PAGE = """<!doctype html><title>protected</title>
sub=<!--#echo var="REMOTE_USER" --> name=<!--#echo var="OIDC_CLAIM_name" -->
iss=<!--#echo var="OIDC_CLAIM_iss" -->
"""


class Apache:
    """One Apache with a folder and a port of its own."""

    def __init__(self, folder):
        self.folder = folder
        self.port = Port()
        self.origin = self.port.origin
        self.page = f"{self.origin}/protected/index.shtml"
        pages = folder / "pages"
        (pages / "protected").mkdir(parents=True)
        (pages / "protected/index.shtml").write_text(PAGE, encoding="utf-8")
        (pages / "left.html").write_text("<!doctype html><title>left</title>left")
        self.process = None

    def start(self, **facts):
        run_as = "User www-data" if os.geteuid() == 0 else ""
        text = CONFIGURATION.read_text(encoding="utf-8")
        values = {"folder": self.folder, "port": self.port.number, "modules": MODULES} | facts
        for name, value in ({"run_as": run_as} | values).items():
            text = text.replace(f"{{{name}}}", str(value))
        configuration = self.folder / "apache.conf"
        configuration.write_text(text, encoding="utf-8")
        self.port.close()  # taken over by Apache
        binary = shutil.which("apache2") or "/usr/sbin/apache2"
        self.process = subprocess.Popen(
            [binary, "-f", str(configuration), "-D", "FOREGROUND"], stderr=subprocess.DEVNULL
        )
        wait_for_port(self.port.number, self.process)

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=20)


@pytest.fixture
def apache(provider):
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)  # its children read the pages as another user
        apache = Apache(Path(folder))
        secret = provider.register(
            "mod-auth-openidc",
            redirect_uris=[f"{apache.origin}/protected/back"],
            post_logout_redirect_uris=[f"{apache.origin}/left.html"],
        )
        apache.start(issuer=provider.issuer, client_id="mod-auth-openidc", client_secret=secret)
        yield apache
        apache.stop()


@pytest.mark.interop
def test_mod_auth_openidc_protects_a_page_and_signs_out(provider, apache, person):
    person.open(apache.page)
    assert person.page.url.startswith(provider.issuer)
    provider.sign_in(person)
    assert person.page.url == apache.page
    assert "name=佐倉 美咲" in person.page.text
    assert f"iss={provider.issuer}" in person.page.text

    person.open(f"{apache.origin}/protected/back?logout={apache.origin}/left.html")
    assert person.page.url == f"{apache.origin}/left.html"
    person.open(apache.page)
    assert person.path == "/login"
