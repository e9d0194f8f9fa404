"""What every page and every start of a relying party has in common."""

import json
import re
import sqlite3
import threading
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

import clients
from clients.booking.site import FOLDER as BOOKING
from clients.certificate.site import FOLDER as CERTIFICATE
from clients.kit import dates
from clients.kit.app import load_all_texts, open_database
from clients.kit.claims import ClaimsError, read_person
from clients.kit.guards import FROM_OUTSIDE
from clients.kit.texts import LANGUAGES
from tests.clients.conftest import kit_of
from tests.clients.visitor import BASE_URL, Visitor, family

FOLDERS = {"booking": BOOKING, "certificate": CERTIFICATE}
SOURCES = [path for path in Path(clients.__file__).parent.rglob("*") if path.is_file()]

ROUTES = {
    "booking": {
        "GET /": "household_member",
        "GET /b/<code>": "household_member",
        "GET /facilities/<code>": "household_member",
        "GET /facilities/<code>/children": "household_member",
        "GET /facilities/<code>/confirm": "household_member",
        "POST /facilities/<code>/book": "household_member",
        "GET /bookings": "household_member",
        "GET /bookings/<booking_id>": "household_member",
        "GET /bookings/<booking_id>/cancel": "household_member",
        "POST /bookings/<booking_id>/cancel": "household_member",
        "GET /children": "household_member",
        "POST /children/<child_id>/nickname": "household_member",
    },
    "certificate": {
        "GET /": "household_member",
        "POST /notice/later": "household_member",
        "GET /certificates/<certificate_id>": "household_member",
        "POST /certificates/<certificate_id>/confirm": "household_member",
    },
}
SHARED = {
    "GET /login": "open_to_all",
    "POST /login": "open_to_all",
    "GET /callback": "open_to_all",
    "POST /logout": "signed_in",
    "GET /signed-out": "open_to_all",
    "POST /backchannel-logout": "machines",
    "GET /language": "open_to_all",
    "GET /health": "machines",
}


@pytest.fixture(params=["booking", "certificate"])
def app(request):
    return request.getfixturevalue(request.param)


def test_rule_40_every_route_has_the_guard_written_here(app):
    found = {
        f"{method} {rule.rule}": app.view_functions[rule.endpoint].guard
        for rule in app.url_map.iter_rules()
        if rule.endpoint != "static"
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }
    assert found == SHARED | ROUTES[kit_of(app).site.name]


def test_every_form_needs_its_token(app, provider):
    visitor = Visitor(app, provider)
    visitor.sign_in(family())
    stranger = Visitor(app, provider)
    stranger.sign_in(family(sub="aoi", household="another"))
    rules = [
        rule
        for rule in app.url_map.iter_rules()
        if "POST" in rule.methods and rule.endpoint not in FROM_OUTSIDE
    ]
    assert rules
    for rule in rules:
        path = re.sub(r"<[^>]+>", "x", rule.rule)
        for token in ("", "0" * 64, stranger.token()):
            answer = visitor.client.post(path, data={"csrf_token": token}, base_url=BASE_URL)
            assert answer.status_code == 403, rule
    assert visitor.get("/").status_code == 200, "still signed in"


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
    ids=str,
)
def test_a_form_from_elsewhere_is_refused_even_with_its_token(app, provider, headers):
    visitor = Visitor(app, provider)
    visitor.sign_in(family())
    assert visitor.post("/logout", headers=headers).status_code == 403


def test_our_own_form_is_taken(app, provider):
    visitor = Visitor(app, provider)
    visitor.sign_in(family())
    headers = {"Origin": BASE_URL, "Sec-Fetch-Site": "same-origin"}
    assert visitor.post("/logout", headers=headers).status_code == 303


def test_a_form_sent_after_the_visit_has_ended_says_so(visitor, clock):
    visitor.sign_in(family())
    visitor.get("/children")
    clock.advance(timedelta(minutes=60))
    page = visitor.post("/children/child-hiyori/nickname", {"nickname": "a"})
    assert page.status_code == 403
    assert "しばらく操作がなかったため、ログアウトしました" in visitor.text()


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("get", "/", 303),
        ("get", "/login", 303),
        ("get", "/callback", 400),
        ("get", "/signed-out", 200),
        ("get", "/health", 200),
        ("get", "/nowhere", 404),
        ("get", "/static/nowhere.css", 404),
        ("post", "/health", 405),
        ("put", "/", 405),
        ("get", "/backchannel-logout", 405),
        ("post", "/backchannel-logout", 400),
        ("get", "/%ff%fe/\x00", 404),
    ],
)
def test_every_answer_carries_the_headers(app, provider, method, path, status):
    answer = getattr(app.test_client(), method)(path, base_url=BASE_URL)
    assert answer.status_code == status
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'self'; img-src 'self';")
    assert f"form-action 'self' {provider.issuer};" in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Cookie" in answer.headers["Vary"]
    if status == 405:
        assert answer.headers["Allow"]


def test_the_style_sheet_may_be_kept(app):
    answer = app.test_client().get("/static/kosodate.css")
    assert answer.status_code == 200
    assert "max-age=3600" in answer.headers["Cache-Control"]
    answer.close()


def test_the_style_sheet_has_every_rule_of_the_provider_s_in_its_order():
    """Families see one family of pages; what a service adds stands between those rules."""
    root = Path(__file__).parents[2]
    ours = iter((root / "clients/kit/static/kosodate.css").read_text("utf-8").splitlines())
    shared = (root / "idp/web/static/kosodate.css").read_text("utf-8").splitlines()
    assert [line for line in shared if line not in ours] == []


def test_the_host_header_is_never_believed(app, provider):
    answer = app.test_client().get("/login", base_url="http://evil.example")
    assert "evil.example" not in answer.location
    assert f"{BASE_URL}/callback" in unquote(answer.location)


def test_too_large_a_form_is_refused(visitor):
    visitor.sign_in(family())
    page = visitor.post("/children/child-hiyori/nickname", {"nickname": "a" * 70_000})
    assert page.status_code == 413


def test_a_database_that_is_locked_is_a_503_page(visitor, booking):
    visitor.sign_in(family())
    path = kit_of(booking).database.path
    path.rename(path.with_suffix(".away"))
    path.mkdir()
    page = visitor.get("/bookings")
    assert page.status_code == 503
    assert "ただいま使えません" in visitor.text()


def test_health_needs_the_database(booking):
    client = booking.test_client()
    assert client.get("/health").json == {"status": "ok"}
    path = kit_of(booking).database.path
    path.rename(path.with_suffix(".away"))
    path.mkdir()
    assert client.get("/health").status_code == 503


def test_a_failure_of_ours_shows_nothing_of_itself(booking, visitor):
    visitor.sign_in(family())
    with kit_of(booking).database.write() as db:
        db.execute("UPDATE visit SET claims = '{}' WHERE sub IS NOT NULL")
    page = visitor.get("/bookings")
    assert page.status_code == 500
    assert "こちらの不具合です" in visitor.text()
    assert "Error" not in visitor.text()


def test_texts_of_all_languages_have_the_same_keys_and_values():
    for name, folder in FOLDERS.items():
        catalogues = load_all_texts(folder).catalogues
        assert set(catalogues) == set(LANGUAGES)
        for key, japanese in catalogues["ja"].items():
            english = catalogues["en"][key]
            if not key.endswith((".one", ".other")) and not key.startswith("date."):
                assert names(japanese) == names(english), (name, key)
        assert set(catalogues["ja"]) == set(catalogues["en"])


def names(text):
    return set(re.findall(r"\{(\w+)\}", text))


def test_every_text_is_used_and_every_used_text_exists():
    """Keys that are put together are recognised by their beginning."""
    for name, folder in FOLDERS.items():
        keys = set(load_all_texts(folder).catalogues["ja"])
        inside = [path for path in SOURCES if path.parts[-2] != "texts" and _belongs(path, name)]
        sources = "".join(path.read_text() for path in inside if path.suffix in {".py", ".html"})
        written = set(re.findall(r"""[\"']([a-z_]+(?:\.[a-z_]+)+)[\"']""", sources))
        begun = set(re.findall(r"""f?[\"']([a-z_.]+[._])(?:\{|[\"'] ~)""", sources))
        whole = set(re.findall(r"\b(?:t|say)\(\s*[\"']([a-z_.]+)[\"']\s*[,)]", sources))
        plain = {key.removesuffix(".one").removesuffix(".other") for key in keys}
        assert whole <= keys | plain
        unused = {
            key
            for key in keys
            if key not in written
            and key.removesuffix(".one").removesuffix(".other") not in written
            and not key.startswith(tuple(begun))
        }
        assert not unused


def _belongs(path, name):
    return {"kit", name} & set(path.parts)


def test_no_sentence_stands_in_a_module():
    for path in SOURCES:
        if path.suffix == ".py":
            code = re.sub(r'""".*?"""|#.*', "", path.read_text(), flags=re.DOTALL)
            assert not re.search(r"[\u3040-\u30ff\u4e00-\u9fff]", code), path


def test_days_are_written_as_each_language_does():
    say = {lang: lambda key, lang=lang, **v: TEXTS.get(lang, key, **v) for lang in LANGUAGES}
    assert dates.long_day(date(2026, 12, 22), say["ja"]) == "2026年12月22日（令和8年）"
    assert dates.long_day(date(2019, 5, 1), say["ja"]) == "2019年5月1日（令和元年）"
    assert dates.long_day(date(2019, 4, 30), say["ja"]) == "2019年4月30日（平成31年）"
    assert dates.short_day(date(2026, 12, 22), say["ja"]) == "12月22日（火）"
    assert dates.long_day(date(2026, 12, 22), say["en"]) == "22 December 2026"
    assert dates.short_day(date(2026, 12, 22), say["en"]) == "Tue 22 December"
    assert dates.hours(9, 11, say["ja"]) == "9時00分から11時00分"


TEXTS = load_all_texts(BOOKING)


@given(st.lists(st.integers(0, 23)))
def test_runs_cover_exactly_the_hours(hours):
    runs = dates.runs(hours)
    assert [hour for start, end in runs for hour in range(start, end)] == sorted(set(hours))
    assert all(end < start for (_, end), (start, _) in pairwise(runs))


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)


@given(
    st.fixed_dictionaries(
        {"sub": ANYTHING},
        optional={
            "kosodate_household": ANYTHING,
            "kosodate_children": ANYTHING,
            "kosodate_delegations": ANYTHING,
            "name": ANYTHING,
        },
    )
)
def test_strange_claims_are_refused_not_misread(claims):
    try:
        person = read_person(json.loads(json.dumps(claims)))
    except ClaimsError:
        return
    assert isinstance(person.sub, str)
    assert person.sub
    assert person.household is None


def test_a_schema_step_is_applied_once_even_at_once(settings, clock):
    failures = []

    def migrate():
        try:
            open_database(settings, BOOKING, clock=clock)
        except sqlite3.Error as error:
            failures.append(error)

    threads = [threading.Thread(target=migrate) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with open_database(settings, BOOKING, clock=clock).read() as db:
        rows = db.execute("SELECT name FROM schema_step ORDER BY name").fetchall()
    assert [row["name"] for row in rows] == [
        "booking/001_booking",
        "kit/001_visits",
        "kit/002_outbox",
    ]


def test_a_reader_cannot_write(settings, clock):
    database = open_database(settings, BOOKING, clock=clock)
    with database.read() as db, pytest.raises(sqlite3.OperationalError, match="readonly"):
        db.execute("DELETE FROM visit")
