"""SMTP: Flask-Mail over a connection that checks certificates and never waits for ever."""

import smtplib
import ssl
from dataclasses import dataclass
from email.utils import make_msgid

from flask import Flask
from flask_mail import Connection, Mail
from flask_mail import Message as FlaskMessage

from idp.mail.messages import Message
from idp.settings.schema import MailSettings

#: Mails of one connection, before the next one is opened.
_IMPLICIT_TLS = "tls"
_STARTTLS = "starttls"


@dataclass(frozen=True)
class Sent:
    """The server took the mail over."""


@dataclass(frozen=True)
class Later:
    """It did not work now; trying again may help. `problem` is written by us."""

    problem: str


@dataclass(frozen=True)
class Refused:
    """The server says that it never will."""

    problem: str


Outcome = Sent | Later | Refused


class _Connection(Connection):
    """Opens SMTP with a verified certificate and a time limit (Flask-Mail has neither)."""

    def __init__(self, mail: Mail, settings: MailSettings, context: ssl.SSLContext) -> None:
        super().__init__(mail)
        self._settings = settings
        self._context = context

    def configure_host(self) -> smtplib.SMTP:
        """Connect; without the encryption that the settings demand, nothing is sent (FT-07)."""
        settings = self._settings
        timeout = settings.timeout_seconds
        host: smtplib.SMTP
        if settings.security == _IMPLICIT_TLS:
            host = smtplib.SMTP_SSL(
                settings.host, settings.port, timeout=timeout, context=self._context
            )
        else:
            host = smtplib.SMTP(settings.host, settings.port, timeout=timeout)
        try:
            if settings.security == _STARTTLS:
                host.starttls(context=self._context)
            if settings.username:
                host.login(settings.username, settings.password)
        except BaseException:
            host.close()
            raise
        return host


class MailTransport:
    """Sends mails, one connection each."""

    def __init__(self, app: Flask, settings: MailSettings) -> None:
        self._app = app
        self._settings = settings
        self._mail = Mail()
        self._mail.init_app(app)
        self._context = ssl.create_default_context(cafile=settings.ca_file or None)

    def send(self, message: Message, address: str) -> Outcome:
        """Hand one mail to the server and tell how it went; problems never name the address."""
        try:
            with _Connection(self._mail, self._settings, self._context) as connection:
                assert connection.host is not None
                envelope = self._build(message, address)
                connection.host.sendmail(
                    self._settings.from_address, [quote_local_part(address)], envelope
                )
        except smtplib.SMTPException as error:
            return _read_failure(error)
        except ssl.SSLError:
            return Later("certificate")
        except OSError:
            return Later("connection")
        except ValueError:
            return Refused("address_shape")
        return Sent()

    def _build(self, message: Message, address: str) -> bytes:
        settings = self._settings
        flask_message = FlaskMessage(
            subject=message.subject,
            sender=(message.sender_name, settings.from_address),
            recipients=[quote_local_part(address)],
            reply_to=settings.reply_to or None,
            charset="utf-8",
            extra_headers={"Auto-Submitted": "auto-generated"},
        )
        flask_message.body = message.text
        flask_message.html = message.html
        flask_message.msgId = make_msgid(domain=settings.from_address.rpartition("@")[2])
        with self._app.app_context():  # Flask-Mail looks its own settings up there
            built: bytes = flask_message.as_bytes()
        return built


def quote_local_part(address: str) -> str:
    """Quote what RFC 5321 §4.1.2 allows only in quotes: old addresses with `..` or `.@`."""
    local, _, domain = address.rpartition("@")
    if ".." in local or local.endswith("."):
        return f'"{local}"@{domain}'
    return address


def _read_failure(error: smtplib.SMTPException) -> Outcome:
    """Tell a refusal of this mail from trouble with the server."""
    match error:
        case smtplib.SMTPRecipientsRefused():
            return _by_code(next(iter(error.recipients.values()))[0], "recipient")
        case smtplib.SMTPDataError():
            return _by_code(error.smtp_code, "content")
        case smtplib.SMTPNotSupportedError():
            return Later("starttls_missing")
        case smtplib.SMTPResponseException():
            return Later(f"server_{error.smtp_code}")
        case _:
            return Later("connection")


def _by_code(code: int, what: str) -> Outcome:
    problem = f"{what}_{code}"
    return Refused(problem) if code >= 500 else Later(problem)
