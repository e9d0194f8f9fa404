"""Run the mailbox: `python -m idp.demo.mailbox --file … --credentials … --page-port … …`."""

import argparse
import signal
import sys
import threading
from pathlib import Path
from types import FrameType

from werkzeug.serving import WSGIRequestHandler, make_server

from idp.base.clock import utc_now
from idp.base.texts import load_texts
from idp.demo.mailbox.pages import Mailbox, create_mailbox
from idp.demo.mailbox.smtp import LOOPBACK, SmtpServer
from idp.demo.mailbox.store import MailStore

_TEXTS = Path(__file__).resolve().parents[3] / "templates" / "texts"


class _QuietHandler(WSGIRequestHandler):
    """Logs no successful request: the page refreshes itself every second or two."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log refusals and failures only."""
        if str(code) >= "400":
            super().log_request(code, size)


def main(arguments: list[str]) -> None:
    """Serve until SIGTERM or SIGINT."""
    options = _parse(arguments)
    store = MailStore(options.file)
    app = create_mailbox(Mailbox(store, load_texts(_TEXTS), options.credentials, utc_now))
    page = make_server(
        LOOPBACK, options.page_port, app, threaded=True, request_handler=_QuietHandler
    )

    def stop(_number: int, _frame: FrameType | None) -> None:
        # shutdown() waits for serve_forever(), which this handler interrupts: so not from here.
        threading.Thread(target=page.shutdown).start()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    with SmtpServer(store, utc_now, port=options.smtp_port) as smtp:
        sys.stdout.write(f"mailbox: page on port {page.server_port}, SMTP on port {smtp.port}\n")
        sys.stdout.flush()
        page.serve_forever()
        page.server_close()


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m idp.demo.mailbox", description=__doc__)
    parser.add_argument("--file", type=Path, required=True, help="where mails are kept")
    parser.add_argument("--credentials", type=Path, required=True, help="the demo's logins")
    parser.add_argument("--page-port", type=int, default=8025)
    parser.add_argument("--smtp-port", type=int, default=8026)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main(sys.argv[1:])
