"""The families of the seed: registered and issued as the office does it."""

from datetime import date, timedelta

from idp.base.dates import TOKYO
from idp.demo.credentials import Login
from idp.demo.kakuu import SAKAI, SAKURA, SAKURABA, Family, Kid, Person
from idp.demo.seed.people import begin_use, person_name
from idp.demo.seed.tools import SeedError, Tools
from idp.domain.people.children import NewChild
from idp.domain.staff.applications import Applicant, ApplyingProxy, FamilyApplication
from idp.domain.staff.desk import Desk, Post
from idp.domain.staff.issuance import AlreadyRegistered, issue_family, register_family
from idp.domain.staff.registration import RegisteredFamily
from idp.model.people import Door, IntakeRoute

_PROXY_PERIOD = timedelta(days=365)


def sow_families(tools: Tools, desk: Desk, post: Post) -> tuple[Login, ...]:
    """Register the families; return the logins of those that are new.

    One guardian is left issued and waiting, so that the first journey can be tried at once.
    """
    # Without e-mail nobody signs in; staff find the family in their search.
    _sow(tools, desk, post, SAKAI)
    logins: list[Login] = []
    sakuraba = _sow(tools, desk, post, SAKURABA)
    if sakuraba is not None:
        begin_use(tools, sakuraba.guardian_id, SAKURABA.guardian.email)
        note = "guardian; active; one child has aged out"
        logins.append(_known_login(tools, SAKURABA.guardian, note))
    # Last, so that her notice is among the newest mails.
    sakura = _sow(tools, desk, post, SAKURA)
    if sakura is not None and SAKURA.proxy is not None:
        begin_use(tools, sakura.proxy_ids[0], SAKURA.proxy.email)
        logins.append(_known_login(tools, SAKURA.proxy, "proxy of 佐倉 美咲; active"))
        note, number = "guardian; issued, no password yet", SAKURA.application_number
        logins.append(_login(SAKURA.guardian, note, application_number=number))
    return tuple(reversed(logins))


def _sow(tools: Tools, desk: Desk, post: Post, family: Family) -> RegisteredFamily | None:
    """Register a family and issue its accounts; None if the office knows it already."""
    outcome = register_family(tools.db, desk, _application(family, tools), now=tools.now)
    match outcome:
        case RegisteredFamily():
            issue_family(tools.db, desk, outcome, post=post, now=tools.now)
            return outcome
        case AlreadyRegistered():
            return None
        case fault:
            raise SeedError(f"{family.guardian.name}: {fault}")


def _known_login(tools: Tools, person: Person, note: str) -> Login:
    return _login(person, note, password=tools.secrets[person.email].password)


def _login(person: Person, note: str, *, password: str = "", application_number: str = "") -> Login:
    return Login(
        door=Door.FAMILY,
        name=person.name,
        note=note,
        login_id=person.email,
        password=password,
        application_number=application_number,
    )


def _application(family: Family, tools: Tools) -> FamilyApplication:
    proxies: tuple[ApplyingProxy, ...] = ()
    if family.proxy is not None:
        until = tools.now + _PROXY_PERIOD
        proxies = (ApplyingProxy(_applicant(family.proxy, family), "father", until),)
    today = tools.now.astimezone(TOKYO).date()
    return FamilyApplication(
        guardian=_applicant(family.guardian, family),
        application_number=family.application_number,
        children=tuple(_child(kid, today) for kid in family.kids),
        proxies=proxies,
        intake_route=IntakeRoute.ONLINE if family.guardian.email else IntakeRoute.PAPER,
    )


def _applicant(person: Person, family: Family) -> Applicant:
    return Applicant(
        name=person_name(person),
        email=person.email or None,
        # The key of the application system makes a second seed harmless, also without e-mail.
        external_key=f"{family.application_number}/{person.given_name_kana}",
    )


def _child(kid: Kid, today: date) -> NewChild:
    return NewChild(name=kid.name, name_kana=kid.kana, birthdate=_born(kid.age_months, today))


def _born(age_months: int, today: date) -> date:
    """Return the fifth of a month so many months ago."""
    months = today.year * 12 + today.month - 1 - age_months
    return date(months // 12, months % 12 + 1, 5)
