"""The two relying parties of the seed, registered as an administrator would."""

import tomllib
from pathlib import Path

from idp.demo.config import base_url, write_client_settings
from idp.demo.folder import DataFolder
from idp.demo.kakuu import MUNICIPALITY_CODE
from idp.demo.ports import Ports
from idp.demo.private import write_private
from idp.demo.seed.tools import SeedError, Tools
from idp.domain.grants.client_registry import register_client
from idp.domain.grants.client_writing import RegistrationRefusal
from idp.domain.grants.clients import find_any_client
from idp.domain.upkeep.audit import SEED
from idp.protocol.addresses import AddressRules
from idp.protocol.registration import parse_registration

_SHOWN = Path(__file__).resolve().parents[1] / "services.toml"
#: Fictional facilities that can be booked from the first start on, and stay open.
_OWN: dict[str, dict[str, dict[str, str | int | bool]]] = {
    "booking": {"booking": {"fictional_weeks": 8}}
}
_RULES = AddressRules(allow_loopback_http=True)


def sow_services(tools: Tools, folder: DataFolder, ports: Ports) -> None:
    """Register booking and certificate and write their settings, unless they are there."""
    shown = tomllib.loads(_SHOWN.read_text(encoding="utf-8"))
    for name, port in (("booking", ports.booking), ("certificate", ports.certificate)):
        if find_any_client(tools.db, name) is None:
            _sow(tools, folder, name, shown[name] | _metadata(name, base_url(port)))
            write_client_settings(
                folder,
                name,
                client_id=name,
                base=base_url(port),
                issuer=tools.issuer,
                own=_OWN.get(name, {}),
            )


def _sow(tools: Tools, folder: DataFolder, name: str, document: dict[str, object]) -> None:
    registration = parse_registration(document, rules=_RULES)
    outcome = register_client(tools.db, registration, actor=SEED, keys=tools.keys, now=tools.now)
    if isinstance(outcome, RegistrationRefusal) or outcome.secret is None:
        raise SeedError(f"client {name}: {outcome}")
    write_private(folder.root / f"{name}.secret", outcome.secret + "\n")


def _metadata(name: str, base: str) -> dict[str, object]:
    """Return where the service is reached (RFC 7591), and that it is the municipality's own."""
    return {
        "client_id": name,
        "redirect_uris": [f"{base}/callback"],
        "post_logout_redirect_uris": [f"{base}/signed-out"],
        "initiate_login_uri": f"{base}/login",
        "backchannel_logout_uri": f"{base}/backchannel-logout",
        "backchannel_logout_session_required": True,
        "client_uri": base,
        "kosodate_municipality": MUNICIPALITY_CODE,
        "kosodate_may_notify": True,
    }
