"""Little memory and few files: the server answers 503 or 429 rather than ending (FT-13)."""

import os
import resource
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from http.client import HTTPException
from urllib.parse import urlencode

from tests.web.pages import read_forms

#: How many sign-ins are tried; KOSODATE_SIGN_INS=1000 for the whole catalogue case.
SIGN_INS = int(os.environ.get("KOSODATE_SIGN_INS", "60"))
MEMORY = 512 * 1024 * 1024
FILES = 128
#: More callers than the server may open files.
IDLE = 150
TYPED = "application/x-www-form-urlencoded"


def sign_in(server, number, *, seconds=60):
    """Try a password of somebody nobody knows; return the statuses."""
    try:
        page = server.call("GET", "/login", seconds=seconds)
        if page.status != 200:
            return [page.status]
        cookies = "; ".join(each.partition(";")[0] for each in page.cookies)
        fields = next(
            form.fields for form in read_forms(page.body.decode()) if form.action == "/login"
        )
        fields |= {"login_id": f"nobody-{number}@example.jp", "password": "Himawari-42-batake"}
        headers = {"Content-Type": TYPED, "Cookie": cookies}
        answer = server.call(
            "POST", "/login", body=urlencode(fields), headers=headers, seconds=seconds
        )
    except (OSError, HTTPException):
        return [0]
    return [page.status, answer.status]


def test_ft_13_little_memory_and_few_files_end_nothing(server, world):
    victims = server.workers()
    for pid in victims:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (FILES, FILES))
        resource.prlimit(pid, resource.RLIMIT_DATA, (MEMORY, MEMORY))
    with ExitStack() as stack:
        for _ in range(IDLE):
            stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=10))
        with ThreadPoolExecutor(8) as pool:
            # Nobody need be served now.
            list(pool.map(lambda number: sign_in(server, number, seconds=3), range(8)))
    with ThreadPoolExecutor(8) as pool:
        tried = list(pool.map(lambda number: sign_in(server, number), range(SIGN_INS)))
    statuses = {status for each in tried for status in each}
    assert statuses <= {200, 422, 429, 503}, statuses
    assert 422 in statuses
    # The same processes are there, and serve.
    assert server.workers() == victims
    assert server.redeem(world.authorize()).status == 200
