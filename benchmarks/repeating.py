"""One request again and again, by wrk: a driver that leaves the machine to the server.

Our own driver is Python and takes its time from the same cores as the server. shared/tools/load.py,
whose figures ours are compared with, uses wrk for the same five operations.
"""

import json
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass

_SCRIPT = """\
wrk.method = %(method)s
wrk.body = %(body)s
for name, value in pairs({%(headers)s}) do wrk.headers[name] = value end
function done(summary, latency, requests)
  local bad = summary.errors
  io.write(string.format('\\nfigures {"done": %%d, "seconds": %%f, "median": %%f, "p95": %%f, \
"errors": %%d}\\n', summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3,
    latency:percentile(95) / 1e3,
    bad.status + bad.connect + bad.read + bad.write + bad.timeout))
end
"""
_MARK = "figures "


@dataclass(frozen=True)
class Constant:
    """A request that may be sent as often as one likes."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True)
class Repeated:
    """What wrk saw."""

    done: int
    seconds: float
    median_ms: float
    p95_ms: float
    errors: int


def has_wrk() -> bool:
    """Tell whether wrk is installed here."""
    return shutil.which("wrk") is not None


def repeat(constant: Constant, *, port: int, connections: int, seconds: float) -> Repeated:
    """Send a request on many connections until the time is over (whole seconds).

    Raises:
        RuntimeError: wrk could not do it.
    """
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(_write_script(constant))
        script.flush()
        length = f"-d{max(1, round(seconds))}s"
        address = f"http://127.0.0.1:{port}{constant.path}"
        outcome = subprocess.run(
            ("wrk", "-t1", f"-c{connections}", length, "--latency", "-s", script.name, address),
            capture_output=True,
            text=True,
            check=False,
            timeout=seconds + 60,
        )
    lines = [line for line in outcome.stdout.splitlines() if line.startswith(_MARK)]
    if not lines:
        raise RuntimeError(f"wrk: {outcome.stdout}{outcome.stderr}")
    found = json.loads(lines[-1].removeprefix(_MARK))
    return Repeated(
        done=found["done"] - found["errors"],
        seconds=found["seconds"],
        median_ms=found["median"],
        p95_ms=found["p95"],
        errors=found["errors"],
    )


def _write_script(constant: Constant) -> str:
    headers = ", ".join(f"[{_quote(name)}] = {_quote(v)}" for name, v in constant.headers.items())
    return _SCRIPT % {
        "method": _quote(constant.method),
        "body": _quote(constant.body.decode()) if constant.body else "nil",
        "headers": headers,
    }


def _quote(text: str) -> str:
    """Write a string of Lua; nothing that we send needs more than JSON's escapes."""
    return json.dumps(text)
