"""Invented facts for the pages of families, the staff door and errors: what views would bring."""

from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace

from idp.base.texts import load_texts
from idp.protocol.client import RegisteredClient, SecurityProfile
from idp.protocol.client_form import write_form
from idp.protocol.self_registration import RegistrantPolicy
from idp.web.admin.client_edit import arrange
from idp.web.render import field_error

NOW = datetime(2026, 11, 24, 6, 42, tzinfo=UTC)
UNTIL = datetime(2026, 11, 24, 7, 12, tzinfo=UTC)
TODAY = date(2026, 11, 24)
PERSON = SimpleNamespace(name="佐倉 美咲", role_label_key="common.role.representative")
POLICY = SimpleNamespace(min_length=10, classes=3, long_length=15)
CHECKS = [
    SimpleNamespace(key="length", state="met"),
    SimpleNamespace(key="classes", state="open"),
    SimpleNamespace(key="guessable", state="open"),
]
PARAGRAPHS = [
    SimpleNamespace(
        heading="第1条（目的）",
        text="この規約は、架空市（以下「市」といいます。）が提供する子育てログインの利用について、"
        "必要な事項を定めるものです。",
    ),
    SimpleNamespace(heading=None, text="利用者は、自分のアカウントをほかの人に使わせません。"),
]
BOOKING, CERTIFICATE = "一時あずかり予約", "認定証"


def a_document(kind, title, **facts):
    base = {
        "version_id": f"v-{kind}",
        "version_number": 3,
        "effective_on": NOW,
        "summary": None,
        "changed": False,
        "paragraphs": PARAGRAPHS,
        "href": f"/documents/{kind}",
        "agreed_on": TODAY,
    }
    return SimpleNamespace(kind=kind, title=title, **base | facts)


def a_service(name, glyph, description, pending_count=0):
    return SimpleNamespace(
        name=name, glyph=glyph, description=description, pending_count=pending_count, href="/go/1"
    )


def a_household(number, name, **facts):
    base = {"id": f"h{number}", "household_id": f"h{number}", "own": False}
    return SimpleNamespace(representative_name=name, **base | facts)


DOCUMENTS = [
    a_document("terms", "利用規約", summary="代理の方は、自分のアカウントで使います。"),
    a_document(
        "privacy",
        "プライバシーポリシー",
        version_number=4,
        changed=True,
        summary="ログインの記録を保管する期間を、2年から3年に改めました。",
    ),
]


def a_delivery(number, kind, name, *, failed):
    return SimpleNamespace(
        id=f"d{number}",
        client=number,
        client_id=f"client-{number}",
        kind=SimpleNamespace(value=kind),
        name=name,
        created_at=NOW,
        try_count=number,
        last_problem="status_503",
        has_failed=failed,
        next_try_at=None if failed else UNTIL,
    )


IDLE = SimpleNamespace(
    minutes=15, seconds_left=0, warn_seconds=120, warn_minutes=2, can_go_on=True, mark="m"
)
CONSOLE = {
    "door": "admin",
    "person": PERSON,
    "done": None,
    "nav": [
        SimpleNamespace(label_key="admin.nav.clients", href="/admin/clients", current=False),
        SimpleNamespace(label_key="admin.nav.deliveries", href="/admin/deliveries", current=True),
    ],
}


STAFF_CONSOLE = {
    "door": "staff",
    "person": PERSON,
    "done": None,
    "may": frozenset({"issue", "manage_members"}),
    "nav": [SimpleNamespace(label_key="staff.nav.search", href="/staff/", current=True)],
}


def a_word(value):
    """A member of an enum, as templates see it."""
    return SimpleNamespace(value=value)


def a_found_person(number, role, **facts):
    base = {
        "account_id": f"a{number}",
        "name": "佐倉 美咲",
        "kana": "サクラ ミサキ",
        "application_number": f"2026-KOSODATE-00012{number}",
        "household_id": f"h{number}",
        "role": a_word(role) if role else None,
        "standing": a_word("active"),
        "mail": a_word("opened"),
        "last_sign_in_at": NOW,
    }
    return SimpleNamespace(**base | facts)


FOUND = SimpleNamespace(
    people=(
        a_found_person(1, "representative"),
        a_found_person(2, "proxy", application_number=None, mail=a_word("no_address")),
        a_found_person(3, None, household_id=None, kana="", last_sign_in_at=None),
    ),
    total=63,
    page=2,
    page_count=4,
)


def a_member(number, role, **facts):
    base = {
        "membership_id": f"m{number}",
        "account_id": f"a{number}",
        "name": "佐倉 美咲",
        "role": a_word(role),
        "relationship": None,
        "standing": a_word("active"),
        "categories": {},
        "last_day": None,
    }
    return SimpleNamespace(**base | facts)


A_PROXY = a_member(
    2,
    "proxy",
    relationship="grandparent",
    categories={"booking": True, "certificate": True},
    last_day=TODAY,
)
DOSSIER = SimpleNamespace(
    household_id="h1",
    application_number="2026-KOSODATE-000121",
    status=a_word("active"),
    members=(a_member(1, "representative"), A_PROXY),
    proxies=lambda: (A_PROXY,),
    own_people=frozenset({"a1"}),
    children=(
        SimpleNamespace(
            name="佐倉 ひより",
            name_kana="サクラ ヒヨリ",
            birthdate=date(2024, 5, 12),
            last_eligible_on=date(2027, 5, 10),
            status=a_word("active"),
        ),
        SimpleNamespace(
            name="佐倉 湊",
            name_kana=None,
            birthdate=date(2023, 1, 4),
            last_eligible_on=date(2026, 1, 2),
            status=a_word("aged_out"),
        ),
    ),
)


def a_key(state, alg="RS256"):
    return SimpleNamespace(
        alg=alg, state=SimpleNamespace(value=state), created_at=NOW, kid=f"key-{alg}-{state}"
    )


A_WINDOW = SimpleNamespace(
    id="0193-7f3k-29qd",
    starts_at=UNTIL,
    ends_at=UNTIL,
    announced_at=UNTIL,
    note_ja="予約の締切にご注意ください。",
    note_en="Please mind booking deadlines.",
)
DELIVERIES = SimpleNamespace(
    deliveries=(
        a_delivery(0, "backchannel_logout", "backchannel_logout", failed=False),
        a_delivery(9, "security_event", "household.representative_changed", failed=True),
    ),
    total=2,
    page=2,
    page_count=3,
)
BOOKING_CLIENT = RegisteredClient(
    client_id="booking", sector="municipality:990001", names={"": BOOKING}, logo_uri="https://a/"
)
FAPI_CLIENT = RegisteredClient(
    client_id="certificate-of-the-municipality",
    sector="municipality:990001",
    names={"": CERTIFICATE},
    profile=SecurityProfile.FAPI2,
    is_active=False,
)
ARRIVED = SimpleNamespace(
    origin=SimpleNamespace(value="console"), token_label=None, created_at=NOW, updated_at=NOW
)
SELF_ARRIVED = SimpleNamespace(
    origin=SimpleNamespace(value="registration"),
    token_label="架空ソフトの検証環境",
    created_at=NOW,
    updated_at=NOW,
)
_KNOWN_KEYS = load_texts(Path(__file__).parents[2] / "templates/texts").keys("ja")
A_SECRET = "uZ3xX1vJm5r0cQ9t2hYk7bN4wLs8dFgEaPoIuRtYqWe"


def a_token(number, label, *, usable):
    return {
        "usable": usable,
        "token": SimpleNamespace(
            id=f"t{number}",
            label=label,
            municipality_code="990001" if number else None,
            policy=RegistrantPolicy(
                scopes=frozenset({"openid", "profile", "email"}), is_legacy=bool(number)
            ),
            created_at=NOW,
            expires_at=UNTIL,
            uses_left=3,
            revoked_at=None if usable else NOW,
            client_count=number,
        ),
    }


TOKENS = {
    "tokens": [a_token(0, "架空ソフト", usable=True), a_token(1, "例題システム", usable=False)],
    "is_open": True,
    "values": {
        "label": "",
        "days": "7",
        "uses": "1",
        "municipality": "",
        "scope": "email",
        "legacy": "",
    },
    "scopes": ("profile", "email", "offline_access"),
    "max_days": 90,
    "max_uses": 10_000,
}


def a_client_form(document, *wrong_fields, client=None, differing=""):
    """Return the facts of the form as the view makes them."""
    values = write_form(document)
    errors = [field_error(name, key, **facts) for name, key, facts in wrong_fields]
    parts = arrange(values, errors, is_new=client is None, known_keys=_KNOWN_KEYS)
    return CONSOLE | {
        "client": client,
        "version": 3,
        "values": values,
        "parts_of_form": parts,
        "errors": errors,
        "differing": differing,
    }


A_FULL_DOCUMENT = {
    "client_name": BOOKING,
    "redirect_uris": ["https://booking.example.jp/callback"],
    "scope": "openid household",
    "grant_types": ["authorization_code", "refresh_token"],
    "kosodate_profile": "fapi2",
    "token_endpoint_auth_method": "private_key_jwt",
    "jwks_uri": "https://booking.example.jp/keys",
    "sector_identifier_uri": "https://booking.example.jp/uris",
    "contacts": ["ops@booking.example.jp"],
    "backchannel_logout_uri": "https://booking.example.jp/logout",
    "require_pushed_authorization_requests": True,
    "dpop_bound_access_tokens": True,
    "default_max_age": 3600,
    "kosodate_resources": ["https://api.example.jp/"],
    "kosodate_event_endpoint": "https://booking.example.jp/events",
    "kosodate_events": ["account.closed"],
}
LOGIN = {
    "values": {},
    "remaining_tries": None,
    "minutes": 30,
    "lead_with_reset": False,
    "allow_shared": True,
    "shared_minutes": 5,
    "keep_days": 0,
}
CODE = {
    "kind": "mail",
    "masked_mail": "mi***@ex***.jp",
    "minutes": 10,
    "tries_left": None,
    "resent": False,
    "trust_days": 30,
}
HOUSEHOLDS = [
    a_household(1, "佐倉 美咲", children=["ひより さん", "湊 さん"], until=date(2027, 3, 31)),
    a_household(2, "例題 大輔", children=["つむぎ さん"], until=date(2026, 12, 31)),
    a_household(3, "例題 和子", own=True),
]
SCOPES = [
    SimpleNamespace(
        code="profile", claim_keys=["name", "kana"], shown=["佐倉 美咲", "サクラ ミサキ"]
    ),
    SimpleNamespace(code="email", claim_keys=["email", "email_verified"], shown=[]),
    SimpleNamespace(code="household", claim_keys=["household", "role", "municipality"], shown=[]),
    SimpleNamespace(code="children", claim_keys=["children", "child_birthdate"], shown=[]),
]
CONSENT = {
    "client_name": BOOKING,
    "client_operator": "架空市 保育課",
    "scopes": SCOPES,
    "policy_uri": "https://booking.example.jp/privacy",
    "tos_uri": "https://booking.example.jp/terms",
    "logo_href": None,
    "person": PERSON,
}
NEW_PASSWORD = {"checks": CHECKS, "policy": POLICY}
DEVICES = [
    SimpleNamespace(
        id="s1", device_label="iPhone・Safari", started_at=NOW, last_seen_at=NOW, current=True
    ),
    SimpleNamespace(
        id="s2",
        device_label="Windows・Edge",
        started_at=NOW,
        last_seen_at=NOW,
        current=False,
        place="架空県",
        trusted_until=NOW,
    ),
]
HISTORY = [
    SimpleNamespace(at=NOW, device_label="iPhone・Safari", place=None, outcome="ok"),
    SimpleNamespace(at=NOW, device_label="Windows・Edge", place="架空県", outcome="failed"),
    SimpleNamespace(at=NOW, device_label="Windows・Edge", place="架空県", outcome="locked"),
]
SECURITY = {
    "person": PERSON,
    "sessions": DEVICES,
    "history": HISTORY,
    "factors": [
        SimpleNamespace(kind="mail", state="on", detail="mi***@ex***.jp", href=None),
        SimpleNamespace(kind="totp", state="off", detail=None, href="/account/totp"),
    ],
    "password_set_on": TODAY,
    "login_id": "misaki.sakura@example.jp",
    **NEW_PASSWORD,
}
MEMBERS = [
    SimpleNamespace(
        membership_id="m1",
        name="佐倉 美咲",
        role="representative",
        is_proxy=False,
        until=None,
        you=True,
    ),
    SimpleNamespace(
        membership_id="m2",
        name="佐倉 健",
        role="proxy",
        is_proxy=True,
        until=date(2027, 3, 31),
        you=False,
    ),
]
CHILDREN = [
    SimpleNamespace(name="佐倉 ひより", birthdate=date(2024, 5, 12), status="active"),
    SimpleNamespace(name="佐倉 湊", birthdate=date(2023, 1, 4), status="aged_out"),
]
A_HOME = SimpleNamespace(
    household_id="h1",
    representative_name="佐倉 美咲",
    own=True,
    members=MEMBERS,
    children=CHILDREN,
)
HOME = {
    "person": PERSON,
    "services": [
        a_service(BOOKING, "予", "施設をさがす、予約する、取り消す"),
        a_service(CERTIFICATE, "認", "認定証を見る、変更を届け出る", 1),
        a_service("健診と予防接種", "健", None),
    ],
    "notices": [
        SimpleNamespace(title="年末年始の窓口について", detail="11月20日 こども課", href="/n/1"),
        SimpleNamespace(title="一時あずかりの料金が変わります", detail=None, href=None),
    ],
    "documents": [
        a_document("terms", "利用規約"),
        a_document("privacy", "プライバシーポリシー", agreed_on=None),
    ],
    "last_login": SimpleNamespace(at=NOW, place=None),
    "households": [a_household(1, "佐倉 美咲", own=True), a_household(2, "例題 大輔")],
    "acting_for_id": "h1",
}
AN_AGREEMENT = SimpleNamespace(
    title="利用規約", version_number=3, agreed_at=NOW, href="/documents/terms"
)
A_GRANT = SimpleNamespace(
    client_id="c1",
    name=BOOKING,
    operator="架空市 保育課",
    scopes=["profile", "email", "household", "children"],
    granted_at=NOW,
    until=None,
    policy_uri="https://booking.example.jp/privacy",
)
ROWS = [
    SimpleNamespace(key="name", value="佐倉 美咲", href=None),
    SimpleNamespace(key="kana", value="サクラ ミサキ", href=None),
    SimpleNamespace(key="mail", value="misaki.sakura.with-a-long-name@mail.example.jp", href=None),
    SimpleNamespace(key="phone", value="090-0000-1234", href=None),
    SimpleNamespace(key="language", value="日本語", href="/account/language"),
]
A_TEXT = {
    "title": "利用規約",
    "version_number": 3,
    "effective_on": NOW,
    "paragraphs": PARAGRAPHS,
    "text_lang": "ja",
    "agreed_at": NOW,
    "versions": [
        SimpleNamespace(number=3, effective_on=NOW, href="/documents/terms", current=True),
        SimpleNamespace(
            number=2,
            effective_on=date(2026, 4, 1),
            href="/documents/terms?version=2",
            current=False,
        ),
    ],
}


def wrong(*faults):
    """Bring the facts of a refused form: (field, key, facts) each."""
    return {"errors": [field_error(field, key, **facts) for field, key, facts in faults]}


#: Name of the picture → template and its facts. The first part of the name is the template's.
PAGES = {
    "signin/login": LOGIN,
    "signin/login--for-app": LOGIN | {"client_name": BOOKING, "keep_days": 30},
    "signin/login--wrong": LOGIN
    | {"values": {"login_id": "misaki@example.jp"}, "remaining_tries": 2, "client_name": BOOKING}
    | wrong(("login_id", "signin.login.error.generic", {})),
    "signin/login--often-locked": LOGIN | {"lead_with_reset": True, "allow_shared": False},
    "signin/locked": {"until": UNTIL, "client_name": BOOKING},
    "signin/code": CODE,
    "signin/code--wrong": CODE
    | {"tries_left": 3, "client_name": BOOKING}
    | wrong(("code", "signin.code.error.wrong", {"n": 3})),
    "signin/code--resent": CODE | {"resent": True, "resend_wait": 30},
    "signin/code--totp": CODE | {"kind": "totp", "trust_days": 0},
    "signin/code_paused": {"until": UNTIL, "client_name": BOOKING},
    "signin/terms": {"documents": DOCUMENTS, "person": PERSON},
    "signin/terms--unticked": {"documents": DOCUMENTS, "person": PERSON}
    | wrong(("agree", "signin.terms.error.agree", {})),
    "signin/terms_declined": {},
    "signin/terms_declined--for-app": {"client_name": BOOKING, "return_href": "/back"},
    "signin/consent": CONSENT,
    "signin/consent--delegation": CONSENT
    | {
        "delegation": SimpleNamespace(
            name="例題 大輔", own=False, categories=("booking", "certificate")
        )
    },
    "signin/consent--impossible": CONSENT | {"is_impossible": True},
    "signin/consent--everything": CONSENT
    | {
        "scopes": [
            {"code": "openid", "claim_keys": ["sub"]},
            {"code": "profile", "claim_keys": ["name", "kana", "locale", "updated_at"]},
            {"code": "phone", "claim_keys": ["phone_number"]},
            {"code": "address", "claim_keys": ["address"]},
            {"code": "delegation", "claim_keys": ["delegations"]},
            {"code": "assurance", "claim_keys": ["assurance"]},
            {"code": "notices", "claim_keys": ["pending"]},
            {"code": "offline_access", "claim_keys": ["offline_access"]},
        ],
        "until": UNTIL,
    },
    "signin/device": {"values": {}},
    "signin/device--unknown": {"values": {"user_code": "wdjb-mjht"}}
    | wrong(("user_code", "signin.device.error.unknown", {})),
    "signin/device_paused": {"until": UNTIL},
    "signin/device_confirm": {
        "client_name": BOOKING,
        "client_operator": "架空市 保育課",
        "user_code": "WDJB-MJHT",
        "scopes": SCOPES,
        "action_href": "#",
        "person": PERSON,
    },
    "signin/device_done": {"outcome": "allowed"},
    "signin/device_done--denied": {"outcome": "denied"},
    "signin/device_done--over": {"outcome": "over"},
    "signin/acting_for": {"households": HOUSEHOLDS, "person": PERSON},
    "signin/acting_for--for-app": {
        "households": HOUSEHOLDS,
        "person": PERSON,
        "client_name": BOOKING,
    },
    "signin/acting_for--unchosen": {"households": HOUSEHOLDS, "person": PERSON}
    | wrong(("household_id", "signin.acting_for.error.choose", {})),
    "signin/reset_request": {"values": {}, "confirm_address": True},
    "signin/reset_request--mismatch": {
        "values": {"email": "misaki@example.jp", "email_confirm": "misaki@example.com"},
        "confirm_address": True,
    }
    | wrong(("email_confirm", "signin.reset_request.error.mismatch", {})),
    "signin/reset_sent": {"shown_mail": "misaki.sakura@example.jp", "minutes": 60},
    "signin/reset_sent--wrong": {
        "shown_mail": "misaki.sakura@example.jp",
        "minutes": 60,
        "resend_wait": 25,
    }
    | wrong(("code", "signin.reset_sent.error.wrong", {})),
    "signin/reset_link": {},
    "signin/reset_identity": {"provider_name": "デジタル認証アプリ", "failure": None},
    "signin/reset_identity--unknown": {
        "provider_name": "デジタル認証アプリ",
        "failure": "unknown",
    },
    "signin/activate_check": {"values": {}, "tries_left": None},
    "signin/activate_check--for-app": {
        "values": {},
        "tries_left": None,
        "client_name": BOOKING,
    },
    "signin/activate_check--wrong": {
        "values": {"birthdate_year": "令和6", "birthdate_month": "5"},
        "tries_left": 4,
    }
    | wrong(("birthdate", "signin.activate_check.error.date", {})),
    "signin/reset_new": NEW_PASSWORD,
    "signin/reset_new--refused": NEW_PASSWORD
    | wrong(
        ("new_password", "signin.password.error.short", {"minimum": 10}),
        ("confirm_password", "signin.password.error.mismatch", {}),
    ),
    "signin/reset_done": {},
    "signin/reset_bad_link": {},
    "signin/activation_stopped": {},
    "signin/help_mail": {},
    "signin/help_no_mail": {},
    "signin/help_first_time": {},
    "signin/help_shared": {"minutes": 5},
    "signin/phishing": {},
    "signin/logout_confirm": {"client_name": BOOKING},
    "signin/signed_out": {},
    "signin/signed_out--shared": {"shared": True, "client_name": BOOKING, "return_href": "/back"},
    "signin/session_expired": {},
    "signin/cookies_off": {},
    "signin/restart": {},
    "signin/leaving": {"frames": [], "next_href": "#"},
    "signin/form_post": {"action": "#", "fields": {"code": "x"}, "csp_nonce": "another"},
    "account/home": HOME,
    "account/home--new": HOME
    | {"services": [], "notices": [], "households": [], "last_login": None}
    | {"emergency": "11月29日（日）0時から5時まで、システムの手入れのため使えません。"},
    "account/security": SECURITY,
    "account/security--refused": SECURITY
    | wrong(("current_password", "account.security.error.current", {})),
    "account/security--step-off": SECURITY
    | {"factors": [], "step": SimpleNamespace(is_free=True, is_on=False, means="mail")},
    "account/security--step-on": SECURITY
    | {"factors": [], "step": SimpleNamespace(is_free=True, is_on=True, means="totp")}
    | wrong(("step_password", "account.security.error.current", {})),
    "account/security--step-always": SECURITY
    | {"factors": [], "step": SimpleNamespace(is_free=False, is_on=True, means="mail")},
    "account/security--step-missing": SECURITY
    | {"factors": [], "step": SimpleNamespace(is_free=False, is_on=True, means="impossible")},
    "account/security--step-no-mail": SECURITY
    | {"factors": [], "step": SimpleNamespace(is_free=True, is_on=False, means="impossible")},
    "account/identity": {
        "person": PERSON,
        "provider_name": "デジタル認証アプリ",
        "linked": None,
    },
    "account/identity--linked": {
        "person": PERSON,
        "provider_name": "デジタル認証アプリ",
        "linked": SimpleNamespace(linked_at=NOW, proofed_at=NOW),
        "done_key": "account.identity.done.linked",
    },
    "account/identity--refused": {
        "person": PERSON,
        "provider_name": "デジタル認証アプリ",
        "linked": SimpleNamespace(linked_at=NOW, proofed_at=None),
        "failed_key": "account.identity.failed.identity_name",
    }
    | wrong(("current_password", "account.security.error.current", {})),
    "account/document": A_TEXT,
    "account/consents": {"person": PERSON, "consents": [A_GRANT], "agreements": [AN_AGREEMENT]},
    "account/consents--none": {"person": PERSON, "consents": [], "agreements": []},
    "account/household": {"person": PERSON, "households": [A_HOME]},
    "account/household--two": {"person": PERSON, "households": [A_HOME, A_HOME]},
    "account/household--none": {"person": PERSON, "households": []},
    "account/proxy_remove": {"person": PERSON, "name": "佐倉 健", "action": "/remove"},
    "account/leave": {"person": PERSON, "name": "佐倉 美咲", "action": "/leave"},
    "account/profile": {"person": PERSON, "rows": ROWS},
    "account/language": {"person": PERSON},
    "account/accessibility": {},
    "admin/maintenance": CONSOLE
    | {"windows": [A_WINDOW], "values": {"announce_days": "7"}, "longest_note": 200}
    | {"emergency": "11月29日（日）0時から5時まで、システムの手入れのため使えません。"},
    "admin/maintenance--wrong": CONSOLE
    | {"windows": [], "values": {"starts_at": "2026-11-29T00:00"}, "longest_note": 200}
    | wrong(("ends_at", "admin.maintenance.wrong.ends_at", {})),
    "admin/deliveries--over": CONSOLE
    | {"found": DELIVERIES, "names": {"client-0": BOOKING, "client-9": CERTIFICATE}, "idle": IDLE},
    "account/profile--idle": {
        "person": PERSON,
        "rows": ROWS,
        "idle": SimpleNamespace(**vars(IDLE) | {"seconds_left": 100}),
    },
    "admin/keys": CONSOLE
    | {
        "keys": [
            a_key("active", "ES256"),
            a_key("active"),
            a_key("published"),
            a_key("retired"),
        ],
        "coming": {
            "key-ES256-active": None,
            "key-RS256-active": None,
            "key-RS256-published": SimpleNamespace(step=a_word("activate"), at=UNTIL),
            "key-RS256-retired": SimpleNamespace(step=a_word("remove"), at=UNTIL),
        },
        "succeeded": {"key-RS256-active"},
        "algorithms": ["ES256", "RS256"],
        "minutes": 60,
        "done": "too_early",
    },
    "admin/deliveries": CONSOLE
    | {"found": DELIVERIES, "names": {"client-0": BOOKING, "client-9": CERTIFICATE}},
    "admin/deliveries--none": CONSOLE
    | {
        "found": SimpleNamespace(deliveries=(), total=0, page=1, page_count=1),
        "names": {},
        "done": "tried",
    },
    "admin/client_form": a_client_form({}),
    "admin/client_form--full": a_client_form(A_FULL_DOCUMENT, client=BOOKING_CLIENT),
    "admin/client_form--wrong": a_client_form(
        {"client_name": BOOKING, "sector_identifier_uri": "https://booking.example.jp/uris"},
        ("redirect_uris", "admin.fault.uri_not_https", {"name": "戻り先（redirect_uri） 2"}),
        ("grant_types", "admin.fault.needed", {"name": "使う方式（grant）"}),
        ("scope", "admin.fault.scope_unknown", {}),
        ("auth_method", "admin.fault.fapi_needs_private_key_jwt", {}),
        ("jwks", "admin.fault.keys_needed", {}),
        ("require_pkce", "admin.fault.pkce_needed", {}),
        ("sector_identifier_uri", "admin.refusal.sector_unproven", {}),
    ),
    "admin/client_form--meanwhile": a_client_form(
        A_FULL_DOCUMENT,
        ("", "admin.refusal.changed_meanwhile", {}),
        client=BOOKING_CLIENT,
        differing="連絡先、公開鍵のURL（jwks_uri）",
    ),
    "admin/clients": CONSOLE
    | {
        "rows": [
            {"client": BOOKING_CLIENT, "name": BOOKING, "arrived": ARRIVED},
            {"client": FAPI_CLIENT, "name": CERTIFICATE, "arrived": SELF_ARRIVED},
        ]
    },
    "admin/client": CONSOLE
    | {
        "client": BOOKING_CLIENT,
        "name": BOOKING,
        "arrived": SELF_ARRIVED,
        "secrets": [{"expires_at": None}],
        "document": '{\n  "client_id": "booking"\n}',
        "done": "saved",
    },
    "admin/client_secret": CONSOLE
    | {
        "made": [
            {"client_id": "booking", "name": BOOKING, "secret": A_SECRET},
            {"client_id": "certificate", "name": CERTIFICATE, "secret": A_SECRET},
        ],
        "count": 2,
    },
    "admin/client_files": CONSOLE | {"values": {}},
    "admin/client_files--wrong": CONSOLE
    | {"values": {"document": '[{"client_id": "booking"}]', "replace": "1"}}
    | wrong(
        (
            "document",
            "admin.files.fault",
            {"where": "booking", "text": "client_name：入力してください。"},
        ),
        (
            "document",
            "admin.files.fault",
            {"where": "booking", "text": "戻り先を、1つ以上入力してください。"},
        ),
    ),
    "admin/registration_tokens": CONSOLE | TOKENS,
    "admin/registration_tokens--wrong": CONSOLE
    | TOKENS
    | {"tokens": [], "is_open": False, "done": "token_over"}
    | wrong(
        ("label", "admin.tokens.wrong.label", {"n": 100}),
        ("days", "admin.tokens.wrong.days", {"n": 90}),
    ),
    "admin/registration_token": CONSOLE | {"label": "架空ソフト", "token": A_SECRET},
    "staff/login": LOGIN | {"door": "staff"},
    "staff/login--wrong": LOGIN
    | {"door": "staff", "values": {"login_id": "fukushi@example.jp"}, "remaining_tries": 2}
    | wrong(("login_id", "staff_door.login.error.generic", {})),
    "staff/search": STAFF_CONSOLE
    | {"found": FOUND, "values": {"q": "佐倉", "status": "active", "mail": ""}},
    "staff/search--nobody": STAFF_CONSOLE
    | {
        "found": SimpleNamespace(people=(), total=0, page=1, page_count=1),
        "values": {"q": "例題", "status": "", "mail": ""},
    },
    "staff/household": STAFF_CONSOLE | {"dossier": DOSSIER},
    "staff/code": {"door": "staff", "tries_left": None},
    "staff/locked": {"door": "staff", "until": UNTIL},
    "staff/code_paused": {"door": "staff", "until": UNTIL},
    "error/client": {"reason": "redirect_uri_unregistered", "client_name": BOOKING},
    "error/client--unknown": {"reason": "other"},
    "error/400": {},
    "error/403": {},
    "error/404": {},
    "error/405": {},
    "error/413": {},
    "error/429": {"retry_minutes": 10},
    "error/role": STAFF_CONSOLE | {"start": "/staff/"},
    "error/role--without-any": {"door": "staff"},
    "error/500": {},
    "error/503": {"retry_seconds": 30},
    "error/maintenance": {
        "until": UNTIL,
        "emergency": "11月29日（日）0時から5時まで、システムの手入れのため使えません。",
    },
}
