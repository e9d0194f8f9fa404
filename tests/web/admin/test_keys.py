"""The console page of keys."""

import re
from datetime import timedelta

import pytest

from idp.db.session import transaction
from idp.domain.grants.key_rotation import list_keys
from idp.model.staff import Role


@pytest.fixture
def states(sessions):
    def run(alg="ES256"):
        with transaction(sessions) as db:
            return sorted(key.state.value for key in list_keys(db) if key.alg == alg)

    return run


def test_the_keys_are_listed_with_their_states(admin):
    page = admin.get("/admin/keys")
    assert page.status == 200
    assert page.text.count("署名に使用中") == 2


def test_kt_01_a_key_is_published_first_and_signs_an_hour_later(
    admin, enter_console, states, clock
):
    page = admin.get("/admin/keys").submit("/admin/keys/ES256/publish")
    assert page.location == "/admin/keys?done=published"
    assert states() == ["active", "published"]
    page = page.follow().submit("/admin/keys/ES256/activate")
    assert page.location == "/admin/keys?done=too_early"
    assert page.follow().status == 200
    clock.advance(timedelta(hours=1))
    page = enter_console(Role.SYSTEM_ADMIN).get("/admin/keys").submit("/admin/keys/ES256/activate")
    assert page.location == "/admin/keys?done=activated"
    assert states() == ["active", "retired"]
    assert states("RS256") == ["active"]


def test_a_successor_stands_below_its_key_which_says_that_it_stops_then(admin):
    page = admin.get("/admin/keys").submit("/admin/keys/ES256/publish").follow()
    rows = re.findall(r'scope="row" role="rowheader">(\w+)<', page.text)
    assert rows == ["ES256", "ES256", "RS256"]
    assert page.text.count("新しい鍵が署名を始めると、署名をやめます") == 1
    first, second, _third = page.text.split('scope="row"')[1:]
    assert "署名をやめます" in first
    assert "公開中" in second
    buttons = re.findall(r"/admin/keys/(\w+)/publish", page.text)
    assert buttons == ["ES256", "RS256"]


def test_one_key_waits_at_a_time(admin, states):
    admin.get("/admin/keys").submit("/admin/keys/ES256/publish")
    page = admin.get("/admin/keys").submit("/admin/keys/ES256/publish")
    assert page.location == "/admin/keys?done=nothing"
    assert states() == ["active", "published"]


def test_an_unknown_algorithm_is_not_found(admin):
    form = admin.get("/admin/keys").form("/admin/keys")
    assert admin.post("/admin/keys/HS256/publish", form.fields).status == 404
