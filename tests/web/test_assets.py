"""Files are kept for a year under an address that names their content."""

import re
import shutil
from pathlib import Path

import pytest

from idp.web.assets import read_versions
from tests.web.applications import ORIGIN
from tests.web.pages import Browser

FOR_EVER = "public, max-age=31536000, immutable"


@pytest.fixture
def get(app):
    client = app.test_client()
    return lambda path, **headers: client.get(path, base_url=ORIGIN, buffered=True, headers=headers)


@pytest.fixture
def addresses(app, town):
    """Return the addresses of files that the sign-in page names."""
    page = Browser(app).get("/login").text
    return sorted(set(re.findall(r'(?:href|src)="(/static/[^"]+)"', page)))


def test_a_page_names_the_content_of_each_file(addresses, get):
    assert len(addresses) >= 3
    for address in addresses:
        assert re.fullmatch(r"/static/[a-z.]+\?v=[\w-]{16}", address), address
        answer = get(address)
        assert (answer.status_code, answer.headers["Cache-Control"]) == (200, FOR_EVER)
        assert "Set-Cookie" not in answer.headers
        assert "Cookie" not in answer.headers.get("Vary", "")


def test_the_plain_address_works_and_is_kept_for_an_hour(addresses, get):
    plain, _, version = addresses[0].partition("?v=")
    for address in (plain, f"{plain}?v=", f"{plain}?v={version[:-1]}", f"{plain}?v=another"):
        answer = get(address)
        assert answer.status_code == 200, address
        assert "max-age=3600" in answer.headers["Cache-Control"], address
        assert "immutable" not in answer.headers["Cache-Control"], address
        assert answer.data == get(addresses[0]).data


def test_a_browser_that_asks_again_hears_that_nothing_changed(addresses, get):
    first = get(addresses[0])
    again = get(addresses[0], **{"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.headers["Cache-Control"]) == (304, FOR_EVER)


def test_what_is_not_there_is_not_kept(get):
    answer = get("/static/nothing.css?v=AAAAAAAAAAAAAAAA")
    assert answer.status_code == 404
    assert "immutable" not in answer.headers.get("Cache-Control", "")


def test_another_content_has_another_address(app, tmp_path):
    folder = tmp_path / "files"
    shutil.copytree(app.static_folder, folder)
    before = read_versions(folder)
    with (folder / "kosodate.css").open("a") as style:
        style.write("/* changed */")
    after = read_versions(folder)
    assert before.keys() == after.keys()
    assert {name for name in before if before[name] != after[name]} == {"kosodate.css"}


def test_files_are_read_at_the_start_and_not_for_a_page(app, town, monkeypatch, addresses):
    def refuse(path):
        raise AssertionError(f"{path} was read")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    assert addresses[0] in Browser(app).get("/login").text
