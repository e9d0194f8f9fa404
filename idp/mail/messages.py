"""What a mail says: subject, text and HTML from facts, in the recipient's language."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from jinja2 import Environment

from idp.base.texts import Texts, UnknownText
from idp.domain.backstage.delivery import DueMail

#: Facts that are moments; they travel as ISO 8601 text.
_MOMENTS = frozenset({"time", "until", "from", "limit"})
_FALLBACK_LANGUAGE = "ja"
#: Where the words of each mail stand; a mail that is not here cannot be written.
_TEXTS = {
    "account_issued": "mail.account_issued",
    "password_link": "mail.password_link",
    "login_code": "mail.login_code",
    "password_changed": "mail.password_changed",
    "new_device": "mail.new_device",
    "locked": "mail.locked",
    "proxy_invited": "mail.proxy_invited",
    "proxy_added": "mail.proxy_added",
    "access_changed": "mail.access_changed",
    "email_changed": "mail.email_changed",
    "second_step_on": "mail.second_step_on",
    "second_step_off": "mail.second_step_off",
    "identity_linked": "mail.identity_linked",
    "identity_unlinked": "mail.identity_unlinked",
}


@dataclass(frozen=True)
class Message:
    """A mail, ready to be sent."""

    sender_name: str
    subject: str
    text: str
    html: str


@dataclass(frozen=True)
class Block:
    """A piece of a mail: `kind` is text, code or link."""

    kind: str
    text: str


@dataclass(frozen=True)
class Writer:
    """Writes mails with the texts and templates of this installation."""

    texts: Texts
    templates: Environment
    issuer: str

    def write(self, mail: DueMail) -> Message:
        """Return the mail in the recipient's language; codes and links stand on lines of their own.

        Whatever a person or a service typed is text: it never becomes a link or markup (UM-06).
        """
        language = mail.language if mail.language in self.texts.languages else _FALLBACK_LANGUAGE
        facts = self._facts(mail, language)
        if mail.name == "notification":
            subject, body = _relayed(facts, language)
        else:
            subject = self.texts.get(language, f"{_TEXTS[mail.name]}.subject", **facts)
            body = self._body(language, mail, facts)
        subject = self.texts.get(language, "mail.subject", subject=subject, **_site(facts))
        rule = self.texts.get(language, "mail.rule")
        footer = self.texts.get(language, "mail.footer", **facts)
        greeting = self.texts.get(language, "mail.greeting", **facts)
        blocks = _blocks(body, facts)
        return Message(
            sender_name=self.texts.get(language, "mail.sender", **_site(facts)),
            subject=_one_line(subject),
            text=f"{greeting}\n\n{body}\n\n{rule}\n{footer}\n",
            html=self.templates.get_template("mail/layout.html").render(
                lang=language,
                subject=subject,
                greeting=greeting,
                blocks=blocks,
                footer=footer.split("\n"),
            ),
        )

    def _facts(self, mail: DueMail, language: str) -> dict[str, Any]:
        facts: dict[str, Any] = {
            name: datetime.fromisoformat(str(value)) if name in _MOMENTS and value else value
            for name, value in mail.facts.items()
        }
        site, japanese = mail.site, language.startswith("ja")
        facts["name"] = mail.recipient
        facts["domain"] = self.issuer.partition("://")[2]
        facts["issuer"] = self.issuer
        facts["change_password_page_url"] = f"{self.issuer}/password/reset"
        if site is None:
            office = {"municipality": "", "service": self.texts.get(language, "common.product")}
            return facts | office | {"office": "", "tel": "", "hours": ""}
        return facts | {
            "municipality": site.name if japanese else site.name_en,
            "service": site.service_name if japanese else site.service_name_en,
            "office": site.office if japanese else site.office_en,
            "tel": site.tel,
            "hours": site.hours if japanese else site.hours_en,
        }

    def _body(self, language: str, mail: DueMail, facts: Mapping[str, Any]) -> str:
        """Take the variant that a true fact names (`body_is_activation`), else the usual body."""
        for name, value in mail.facts.items():
            if value is True or (name == "login_id" and value):
                try:
                    return self.texts.get(language, f"{_TEXTS[mail.name]}.body_{name}", **facts)
                except UnknownText:
                    continue
        return self.texts.get(language, f"{_TEXTS[mail.name]}.body", **facts)


def _relayed(facts: Mapping[str, Any], language: str) -> tuple[str, str]:
    """Return subject and text of a service, in the language or the nearest it wrote."""
    written = [name.removeprefix("subject_") for name in facts if name.startswith("subject_")]
    chosen = next((tag for tag in (language, language[:2], "ja") if tag in written), written[0])
    client = facts.get(f"client_name_{chosen}") or ""
    body = str(facts[f"text_{chosen}"]).strip()
    return _one_line(str(facts[f"subject_{chosen}"])), f"{body}\n\n― {client}" if client else body


def _site(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {"municipality": facts["municipality"], "service": facts["service"]}


def _blocks(body: str, facts: Mapping[str, Any]) -> list[Block]:
    """Split at blank lines; a line that is our code or our link stands by itself."""
    code, links = facts.get("code"), {facts.get("url"), facts.get("reset_page_url")}
    links.add(facts["change_password_page_url"])
    blocks: list[Block] = []
    for paragraph in re.split(r"\n{2,}", body.strip()):
        kept: list[str] = []
        for line in paragraph.split("\n"):
            bare = line.strip()
            if bare and (bare == code or bare in links):
                blocks.extend(_text(kept))
                blocks.append(Block("code" if bare == code else "link", bare))
                kept = []
            else:
                kept.append(line.strip())
        blocks.extend(_text(kept))
    return blocks


def _text(lines: list[str]) -> list[Block]:
    return [Block("text", "\n".join(lines))] if lines else []


def _one_line(text: str) -> str:
    return " ".join(text.split())
