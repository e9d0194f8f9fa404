"""The parts of the demo and how each is started."""

import sys

from idp.demo.folder import DataFolder
from idp.demo.ports import Ports
from idp.demo.processes import PROJECT, HealthPage, Service

#: How far ahead hours can be booked; entered anew each month.
_WEEKS = "13"
_MIGRATIONS = PROJECT / "migrations" / "versions"


def migration_names() -> tuple[str, ...]:
    """Return the migrations of this checkout; others than last time mean: migrate again."""
    return tuple(sorted(path.name for path in _MIGRATIONS.glob("*.py")))


def preparing_steps(folder: DataFolder, ports: Ports) -> tuple[Service, ...]:
    """Return the commands that make the database ready. Doing them twice is harmless."""
    seed = ("--data", str(folder.root), "--port-base", str(ports.provider))
    return (
        Service("migrate", (*_idp(folder), "db", "upgrade")),
        Service("seed", (sys.executable, "-m", "idp.demo.seed", *seed)),
        Service("facilities", (*_client("booking", folder), "seed", "--weeks", _WEEKS)),
    )


def serving_parts(folder: DataFolder, ports: Ports) -> tuple[Service, ...]:
    """Return what runs as long as the demo does and answers on a port."""
    return (
        Service(
            "mailbox",
            (
                *(sys.executable, "-m", "idp.demo.mailbox"),
                *("--file", str(folder.mails)),
                *("--credentials", str(folder.credentials)),
                *("--page-port", str(ports.mailbox), "--smtp-port", str(ports.smtp)),
            ),
            HealthPage(ports.mailbox, "/health/live"),
        ),
        Service(
            "provider",
            (*_idp(folder), "serve"),
            HealthPage(ports.provider, "/health/ready"),
        ),
        _relying_party("booking", folder, ports.booking),
        _relying_party("certificate", folder, ports.certificate),
    )


def late_parts(folder: DataFolder) -> tuple[Service, ...]:
    """Return what nobody waits for: the provider's worker, which sends mail and logout calls."""
    return (Service("worker", (*_idp(folder), "worker")),)


def _idp(folder: DataFolder) -> tuple[str, ...]:
    return (sys.executable, "-m", "idp.cli.main", "--config", str(folder.settings))


def _relying_party(name: str, folder: DataFolder, port: int) -> Service:
    return Service(name, _client(name, folder), HealthPage(port, "/health"))


def _client(name: str, folder: DataFolder) -> tuple[str, ...]:
    return (sys.executable, "-m", f"clients.{name}", "--config", f"{folder.root}/{name}.toml")
