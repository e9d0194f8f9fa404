"""The log: one line an event, as JSON for machines or plain for a terminal (IN-03)."""

import logging
import sys
from typing import TextIO

import structlog

#: Libraries whose finer levels hold live tokens or personal data (rule on logging, style.md).
_QUIET = ("authlib", "flask_mail", "httpx", "httpcore", "sqlalchemy")


def configure_logs(*, level: str, form: str, stream: TextIO | None = None) -> None:
    """Send every event of this process to standard error, at this level and above.

    `form` is `json` or `text`. A line break in a value never makes a second line of JSON.
    Doing it twice is harmless.
    """
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: structlog.typing.Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=True)
        if form == "json"
        else structlog.dev.ConsoleRenderer(colors=False)
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
