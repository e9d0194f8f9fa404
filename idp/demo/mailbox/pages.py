"""The page of the mailbox: the mails as they arrive, and the staff's current codes."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from unicodedata import normalize
from urllib.parse import urlsplit

from flask import (
    Blueprint,
    Flask,
    Response,
    abort,
    current_app,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
    send_from_directory,
    url_for,
)
from flask.typing import ResponseReturnValue

from idp.base.clock import Clock
from idp.base.texts import Texts
from idp.demo.mailbox.message import Mail, split_links
from idp.demo.mailbox.store import MailStore
from idp.demo.mailbox.totp import current_codes

bp = Blueprint("mailbox", __name__)

_PROJECT = Path(__file__).resolve().parents[3]
#: The provider's own style sheet and mark, and what only the mailbox needs.
_STATIC_FOLDERS = (_PROJECT / "idp" / "web" / "static", _PROJECT / "idp" / "demo" / "static")
_LANGUAGES = ("ja", "en")
_LANGUAGE_COOKIE = "mailbox_language"
#: Names by which a browser on this machine can mean us; any other is DNS rebinding.
_HOST_NAMES = frozenset({"127.0.0.1", "localhost"})
_PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
    "frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
#: A mail's own HTML: no script, no request to anywhere, links open beside the mailbox.
_MAIL_POLICY = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; "
    "style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'"
)


@dataclass(frozen=True)
class Mailbox:
    """What the pages show."""

    store: MailStore
    texts: Texts
    credentials_file: Path
    clock: Clock


def create_mailbox(mailbox: Mailbox) -> Flask:
    """Build the WSGI application."""
    app = Flask("idp.demo.mailbox", template_folder=str(_PROJECT / "templates"), static_folder=None)
    app.extensions["mailbox"] = mailbox
    app.json.ensure_ascii = False  # type: ignore[attr-defined]  # readable in a terminal
    app.register_blueprint(bp)
    return app


@bp.before_app_request
def refuse_strangers() -> None:
    """Answer only this machine's browser, and let no other site post here."""
    if (urlsplit(f"//{request.host}").hostname or "") not in _HOST_NAMES:
        abort(421)
    origin = request.headers.get("Origin")
    if request.method == "POST" and origin not in (None, request.host_url.rstrip("/")):
        abort(403)


@bp.after_app_request
def protect(response: Response) -> Response:
    """Keep mails out of caches, frames and referrers."""
    response.headers.setdefault("Content-Security-Policy", _PAGE_POLICY)
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers["X-Content-Type-Options"] = "nosniff"
    # Not "no-referrer": with it, browsers send "Origin: null" with our own form, too.
    response.headers["Referrer-Policy"] = "same-origin"
    return response


@bp.app_context_processor
def add_texts() -> dict[str, Any]:
    """Give every template its language and its words."""
    lang = _language()

    def t(key: str, /, **facts: object) -> str:
        return _mailbox().texts.get(lang, key, **facts)

    return {"t": t, "lang": lang, "languages": _LANGUAGES}


@bp.get("/")
def show_list() -> ResponseReturnValue:
    """List the mails, the newest first; `?q=` finds by a part of the address or subject."""
    wanted = request.args.get("q", "").strip()
    mails = _mailbox().store.newest_first()
    found = [mail for mail in mails if _is_wanted(mail, wanted)]
    return render_template(
        "demo/mailbox.html", mails=found, mail_count=len(mails), wanted=wanted, codes=_codes()
    )


@bp.get("/messages/<int:mail_id>")
def show_mail(mail_id: int) -> ResponseReturnValue:
    """Show one mail: its readable text with links, and its HTML in a sandbox."""
    mail = _find(mail_id)
    return render_template("demo/mail.html", mail=mail, pieces=split_links(mail.text))


@bp.get("/messages/<int:mail_id>/html")
def show_mail_html(mail_id: int) -> ResponseReturnValue:
    """Return the mail's HTML part as it came, under a policy that lets it do nothing."""
    mail = _find(mail_id)
    # Links open in a new tab: the pages they lead to refuse to be framed.
    page = make_response(f'<!DOCTYPE html><base target="_blank">{mail.html}')
    page.headers["Content-Security-Policy"] = _MAIL_POLICY
    return page


@bp.post("/messages/delete")
def delete_all() -> ResponseReturnValue:
    """Delete every mail."""
    _mailbox().store.delete_all()
    return redirect(url_for("mailbox.show_list"), 303)


@bp.get("/messages.json")
def list_messages() -> ResponseReturnValue:
    """List the mails for scripts, the newest first; `?to=` keeps one recipient's."""
    wanted = _fold(request.args.get("to", ""))
    return jsonify(
        [
            _to_json(mail)
            for mail in _mailbox().store.newest_first()
            if not wanted or wanted in (_fold(address) for address in mail.recipients)
        ]
    )


@bp.get("/totp.json")
def list_codes() -> ResponseReturnValue:
    """List the current codes for scripts and for the page's own refreshing."""
    return jsonify([asdict(code) for code in _codes()])


@bp.get("/language")
def choose_language() -> ResponseReturnValue:
    """Remember the language of the page."""
    answer = redirect(url_for("mailbox.show_list"), 303)
    wanted = request.args.get("to")
    if wanted in _LANGUAGES:
        answer.set_cookie(_LANGUAGE_COOKIE, wanted, httponly=True, samesite="Lax")
    return answer


@bp.get("/health/live")
def show_health() -> ResponseReturnValue:
    """Tell the supervisor that pages are served."""
    return jsonify(status="ok")


@bp.get("/static/<name>")
def send_static(name: str) -> ResponseReturnValue:
    """Send a style sheet, script or image."""
    folder = next((one for one in _STATIC_FOLDERS if (one / name).is_file()), _STATIC_FOLDERS[0])
    return send_from_directory(folder, name, max_age=3600)


def _mailbox() -> Mailbox:
    mailbox = current_app.extensions["mailbox"]
    assert isinstance(mailbox, Mailbox)
    return mailbox


def _codes() -> tuple[Any, ...]:
    return current_codes(_mailbox().credentials_file, now=_mailbox().clock())


def _language() -> str:
    chosen = request.cookies.get(_LANGUAGE_COOKIE)
    if chosen in _LANGUAGES:
        return str(chosen)
    return request.accept_languages.best_match(_LANGUAGES) or _LANGUAGES[0]


def _find(mail_id: int) -> Mail:
    mail = _mailbox().store.find(mail_id)
    if mail is None:
        abort(404)
    return mail


def _is_wanted(mail: Mail, wanted: str) -> bool:
    return any(_fold(wanted) in _fold(text) for text in (*mail.recipients, mail.subject))


def _fold(text: str) -> str:
    return normalize("NFKC", text).casefold().strip()


def _to_json(mail: Mail) -> dict[str, object]:
    return {
        "id": mail.mail_id,
        "from": mail.sender,
        "to": ", ".join(mail.recipients),
        "subject": mail.subject,
        "received_at": mail.received_at.isoformat(),
        "text": mail.text,
        "html": mail.html,
    }
