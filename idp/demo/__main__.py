"""Run the demo: `python -m idp.demo`, or `make demo`."""

import argparse
import sys
from pathlib import Path
from threading import Event

from idp.base.clock import utc_now
from idp.demo.config import write_provider_settings
from idp.demo.credentials import read_credentials
from idp.demo.failure import DemoFailure, StopRequested
from idp.demo.folder import (
    DataFolder,
    Prepared,
    empty_folder,
    hold_folder,
    open_folder,
    read_prepared,
    write_prepared,
)
from idp.demo.parts import late_parts, migration_names, preparing_steps, serving_parts
from idp.demo.ports import DEFAULT_BASE, Ports, ports_from, taken_ports
from idp.demo.processes import run_step
from idp.demo.screen import build_screen
from idp.demo.supervisor import stop_on_signals, supervise


def main(arguments: list[str]) -> int:
    """Run until somebody stops it; return the exit code."""
    options = _parse(arguments)
    try:
        with stop_on_signals() as stop:
            folder = open_folder(options.data)
            with hold_folder(folder):
                _run(folder, ports_from(options.port_base), stop, anew=options.reset)
    except DemoFailure as failure:
        print(f"demo: {failure}", file=sys.stderr)
        return 1
    except StopRequested:
        pass
    print("demo: stopped.", flush=True)
    return 0


def _run(folder: DataFolder, ports: Ports, stop: Event, *, anew: bool) -> None:
    _check_ports(ports)
    if anew:
        empty_folder(folder)
    _prepare(folder, ports, stop)
    parts = serving_parts(folder, ports)
    _tell(f"starting {', '.join(part.name for part in parts)} …")

    def on_ready() -> None:
        print(build_screen(ports, read_credentials(folder.credentials), folder), flush=True)

    late = late_parts(folder)
    supervise(parts, late=late, logs=folder.logs, stop=stop, on_ready=on_ready)


def _check_ports(ports: Ports) -> None:
    taken = taken_ports(ports)
    if taken:
        names = {port: name for name, port in vars(ports).items()}
        which = ", ".join(f"{port} ({names[port]})" for port in taken)
        raise DemoFailure(
            f"In use by another program: port {which}. Stop that program, "
            "or take other ports: make demo PORT_BASE=18000"
        )


def _prepare(folder: DataFolder, ports: Ports, stop: Event) -> None:
    """Make settings, database and people at the first start; later what is new, if anything."""
    wanted = Prepared(ports.provider, migration_names(), month=f"{utc_now():%Y-%m}")
    before = read_prepared(folder)
    if before == wanted:
        return
    if before is not None and before.port_base != wanted.port_base:
        raise DemoFailure(
            f"The data in {folder.root} belongs to the ports from {before.port_base} on. "
            "Start it with those, name another folder with --data, or start anew with --reset."
        )
    write_provider_settings(folder, ports)
    for step in preparing_steps(folder, ports):
        _tell(f"{step.name} …")
        run_step(step, folder.logs, stop)
    write_prepared(folder, wanted)


def _tell(progress: str) -> None:
    print(f"demo: {progress}", flush=True)


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m idp.demo", description=__doc__)
    parser.add_argument(
        "--data", type=Path, default=Path("demo-data"), help="data folder (default: ./demo-data)"
    )
    parser.add_argument(
        "--port-base",
        type=_port_base,
        default=DEFAULT_BASE,
        help="first port; the others are +1, +2, +25 and +26 (default: %(default)s)",
    )
    parser.add_argument("--reset", action="store_true", help="delete the data and start anew")
    return parser.parse_args(arguments)


def _port_base(text: str) -> int:
    if text.isascii() and text.isdigit() and 1024 <= int(text) <= 65_000:
        return int(text)
    raise argparse.ArgumentTypeError("must be a number from 1024 to 65000")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
