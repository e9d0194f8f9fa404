"""What the pages about services share: find one, read a document, say what is wrong with it."""

from collections.abc import Mapping, Sequence

from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from idp.db.session import reading
from idp.domain.grants.client_export import export_client
from idp.domain.grants.client_writing import RegisteredClientWithSecret, RegistrationRefusal
from idp.domain.grants.clients import find_any_client
from idp.domain.grants.key_rotation import REQUIRED
from idp.protocol.addresses import AddressRules
from idp.protocol.client import RegisteredClient
from idp.protocol.client_fields import FIELDS, Group, Kind
from idp.protocol.client_form import field_of
from idp.protocol.document import MetadataFault
from idp.web.admin.desk import console
from idp.web.deps import services
from idp.web.render import FieldError, field_error, language, see_other

#: Where a refusal belongs on the form.
_FIELDS = {
    RegistrationRefusal.CLIENT_ID_TAKEN: "client_id",
    RegistrationRefusal.MUNICIPALITY_UNKNOWN: "municipality",
    RegistrationRefusal.SECTOR_NEEDED: "municipality",
    RegistrationRefusal.SECTOR_FIXED: "sector_identifier_uri",
    RegistrationRefusal.SECTOR_UNPROVEN: "sector_identifier_uri",
}
_ALGORITHMS = (
    "id_token_signed_response_alg",
    "userinfo_signed_response_alg",
    "authorization_signed_response_alg",
    "introspection_signed_response_alg",
)


def find_one(client_id: str) -> tuple[RegisteredClient, dict[str, object]]:
    """Return a service and its document.

    Raises:
        NotFound: there is none of this id.
    """
    with reading(services().sessions) as db:
        client = find_any_client(db, client_id)
        if client is None:
            raise NotFound
        return client, export_client(db, client)


def address_rules() -> AddressRules:
    """Return what addresses of services may be in this installation."""
    return AddressRules(allow_loopback_http=services().settings.dev.allow_http)


def fault_errors(faults: Sequence[MetadataFault], values: Mapping[str, str]) -> list[FieldError]:
    """Say at their fields what is wrong with a document, in the order of the form."""
    order = [each.name for group in Group for each in FIELDS if each.group is group]
    # What belongs to no field comes last.
    place = {name: number for number, name in enumerate(order)}
    errors = [_fault_error(fault, values) for fault in faults]
    return sorted(errors, key=lambda error: place.get(error.field, len(order)))


def _fault_error(fault: MetadataFault, values: Mapping[str, str]) -> FieldError:
    """Say at its field what is wrong with a member; of boxes none of which is ticked, just that."""
    name = field_of(fault)
    field = next((each for each in FIELDS if each.name == name), None)
    is_bare = field is not None and field.kind is Kind.CHOICES and not values.get(name)
    reason = "needed" if is_bare else fault.reason
    return field_error(name, f"admin.fault.{reason}", name=label_of(fault))


def label_of(fault: MetadataFault) -> str:
    """Return the words of the form for a faulty member, with its line where it has several."""
    field = field_of(fault)
    if not field:
        return fault.field
    label = say(f"admin.field.{field}")
    place = fault.field.partition("[")[2].rstrip("]")
    return f"{label} {int(place) + 1}" if place else label


def say(key: str, **facts: object) -> str:
    """Return a text in the language of this page, as a part of another one."""
    return services().texts.get(language(), key, **facts)


def refusal_error(refusal: RegistrationRefusal, values: Mapping[str, str]) -> FieldError:
    """Say at its field why the registry refuses."""
    field = _FIELDS.get(refusal, "")
    if refusal is RegistrationRefusal.KEY_MISSING:
        unusual = [name for name in _ALGORITHMS if values.get(name) not in ("", None, *REQUIRED)]
        field = unusual[0] if unusual else ""
    return field_error(field, f"admin.refusal.{refusal.value}")


def show_secrets(made: Sequence[RegisteredClientWithSecret]) -> Response:
    """Show new secrets in the answer itself: no address leads to them again (CA-08)."""
    with_secret = [each for each in made if each.secret is not None]
    if not with_secret:
        where = f"/{made[0].client.client_id}" if len(made) == 1 else ""
        return see_other(f"/admin/clients{where}?done=saved")
    return console(
        "admin/client_secret.html",
        "clients",
        made=[
            {
                "client_id": each.client.client_id,
                "name": each.client.name_in(language()),
                "secret": each.secret,
            }
            for each in with_secret
        ],
        count=len(made),
    )
