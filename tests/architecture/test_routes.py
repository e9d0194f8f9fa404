"""Every route of the real application: who may call it, and whether a form token is asked.

The list is written out, so that a new address, or one that lets other people in, is a change
somebody reads (style.md rule 40).
"""

from idp.web.guards import GuardKind
from tests.clock import FrozenClock
from tests.web.applications import build_app

#: Answered without a guard: files that are the same for everyone.
FILES = {"/static/<path:filename>"}
#: Guards whose unsafe methods need no form token, and why.
WITHOUT_FORM_TOKEN = {
    GuardKind.CLIENT,  # no cookie is looked at: the caller authenticates itself
    GuardKind.CROSS_SITE,  # other sites send people here; it starts something and decides nothing
}
ROUTES = """
GET / open
GET /.well-known/change-password open
GET /.well-known/oauth-authorization-server client
GET /.well-known/openid-configuration client
GET /accessibility open
GET /account/consents signed_in
POST /account/consents/revoke signed_in
GET /account/household signed_in
GET /account/household/<uuid:household_id>/leave signed_in
POST /account/household/<uuid:household_id>/leave signed_in
GET /account/household/<uuid:household_id>/proxies/<uuid:membership_id>/remove signed_in
POST /account/household/<uuid:household_id>/proxies/<uuid:membership_id>/remove signed_in
GET /account/identity signed_in
POST /account/identity/link signed_in
POST /account/identity/unlink signed_in
GET /account/language signed_in
POST /account/password signed_in
POST /account/second-step signed_in
GET /account/profile signed_in
GET /account/security signed_in
POST /account/sessions/end signed_in
GET /acting-for signed_in
POST /acting-for signed_in
GET /admin/ manage_clients
GET /admin/client-files manage_clients
GET /admin/client-files/all manage_clients
POST /admin/client-files manage_clients
GET /admin/clients manage_clients
GET /admin/clients/<client_id> manage_clients
POST /admin/clients/<client_id>/<any('disable', 'enable', 'end-old-secrets'):act> manage_clients
GET /admin/clients/<client_id>/edit manage_clients
GET /admin/clients/<client_id>/export manage_clients
POST /admin/clients/<client_id>/edit manage_clients
POST /admin/clients/<client_id>/secret manage_clients
GET /admin/clients/new manage_clients
POST /admin/clients/new manage_clients
GET /admin/deliveries manage_clients
POST /admin/deliveries/<uuid:row_id>/try manage_clients
GET /admin/keys manage_keys
POST /admin/keys/<any(ES256, RS256, PS256, EdDSA):alg>/activate manage_keys
POST /admin/keys/<any(ES256, RS256, PS256, EdDSA):alg>/publish manage_keys
GET /admin/maintenance plan_maintenance
POST /admin/maintenance plan_maintenance
POST /admin/maintenance/<uuid:row_id>/end plan_maintenance
GET /admin/registration-tokens manage_clients
POST /admin/registration-tokens manage_clients
POST /admin/registration-tokens/<uuid:row_id>/revoke manage_clients
POST /api/notifications client
PUT /api/pending-notices client
GET /authorize cross_site
POST /authorize cross_site
POST /cancel open
GET /check_session client
GET /consent open
POST /consent open
GET /continue open
GET /device open
POST /device open
GET /device/<any(allowed, denied, over):outcome> open
GET /device/confirm open
POST /device/confirm open
POST /device_authorization client
GET /documents/<any(terms, privacy):name> open
GET /end_session cross_site
POST /end_session cross_site
POST /end_session/confirm open
GET /health/live client
GET /health/ready client
GET /help/first-time open
GET /help/mail open
GET /help/no-mail open
GET /help/phishing open
GET /help/shared-device open
POST /introspect client
GET /jwks client
GET /language open
POST /language open
GET /login open
POST /login open
GET /login/code open
POST /login/code open
GET /logo/<name> open
GET /logout open
POST /logout open
POST /logout/everywhere open
POST /par client
GET /password/reset open
POST /password/reset open
GET /password/reset/check open
POST /password/reset/check open
GET /password/reset/identity open
POST /password/reset/identity open
GET /password/reset/done open
GET /password/reset/link open
POST /password/reset/link open
GET /password/reset/new open
POST /password/reset/new open
GET /password/reset/sent open
POST /password/reset/sent open
POST /register client
DELETE /register/<client_id> client
GET /register/<client_id> client
PUT /register/<client_id> client
- /revoke client
POST /revoke client
POST /session/keep open
GET /signed-out open
GET /staff/ view_people
GET /staff/audit view_audit
GET /staff/households/<uuid:household_id> view_people
GET /staff/households/<uuid:household_id>/children/new manage_members
POST /staff/households/<uuid:household_id>/children/new manage_members
GET /staff/households/<uuid:household_id>/proxies/<uuid:membership_id>/remove manage_members
POST /staff/households/<uuid:household_id>/proxies/<uuid:membership_id>/remove manage_members
GET /staff/households/<uuid:household_id>/proxies/new manage_members
POST /staff/households/<uuid:household_id>/proxies/new manage_members
GET /staff/login open
POST /staff/login open
GET /staff/login/code open
POST /staff/login/code open
GET /staff/mail view_mail
GET /staff/mail.csv view_mail
POST /staff/mail/send-again issue
GET /staff/people/<uuid:account_id> view_people
GET /staff/people/<uuid:account_id>/<any(suspend, resume, close, unlock):action> suspend
POST /staff/people/<uuid:account_id>/<any(suspend, resume, close, unlock):action> suspend
GET /staff/people/<uuid:account_id>/address correct
POST /staff/people/<uuid:account_id>/address correct
POST /staff/people/<uuid:account_id>/issue issue
GET /staff/people/<uuid:account_id>/protect protect
POST /staff/people/<uuid:account_id>/protect protect
POST /staff/people/<uuid:account_id>/protection/keep protect
POST /staff/people/<uuid:account_id>/protection/lift protect
GET /staff/people/<uuid:account_id>/recover recover
POST /staff/people/<uuid:account_id>/recover recover
POST /staff/people/<uuid:account_id>/send-again issue
GET /staff/register issue
POST /staff/register issue
GET /terms signed_in
POST /terms signed_in
- /token client
POST /token client
- /userinfo client
GET /upstream/callback open
GET /userinfo client
POST /userinfo client
"""


def _routes():
    app = build_app("sqlite:///never-opened.sqlite3", FrozenClock())
    for rule in app.url_map.iter_rules():
        methods = ",".join(sorted(rule.methods - {"HEAD", "OPTIONS"}))
        yield rule.rule, methods, getattr(app.view_functions[rule.endpoint], "guard", None)


def test_rule_40_every_route_has_a_guard():
    assert {path for path, _, guard in _routes() if guard is None} == FILES


def test_rule_40_the_routes_are_these():
    lines = {
        f"{methods or '-'} {path} {guard.permission or guard.kind}"
        for path, methods, guard in _routes()
        if guard is not None
    }
    assert sorted(lines) == sorted(ROUTES.strip().splitlines())


def test_rule_40_only_machines_and_other_sites_need_no_form_token():
    exempt = {
        path
        for path, methods, guard in _routes()
        if guard is not None and guard.kind in WITHOUT_FORM_TOKEN and methods != "GET"
    }
    assert exempt == {
        "/api/notifications",
        "/api/pending-notices",
        "/authorize",
        "/device_authorization",
        "/end_session",
        "/introspect",
        "/par",
        "/register",
        "/register/<client_id>",
        "/revoke",
        "/token",
        "/userinfo",
    }


def test_rule_40_staff_pages_ask_for_a_permission():
    open_pages = {
        path
        for path, _, guard in _routes()
        if path.startswith(("/staff", "/admin")) and guard.kind is not GuardKind.STAFF
    }
    assert open_pages == {"/staff/login", "/staff/login/code"}
