"""Reading several documents of other servers within one deadline, each address once."""

import time
from dataclasses import replace

from idp.base.http import Fetched, FetchError, HttpClient


class OutOfTimeError(Exception):
    """The deadline of all documents together has passed; what was read so far is of no use."""


class BatchReader:
    """Reads documents one after the other; all of them share the time that `http` names.

    It does for one job: make it when the job begins, and keep it no longer.
    """

    def __init__(self, http: HttpClient) -> None:
        self._http = http
        self._ends = time.monotonic() + http.batch_seconds
        self._answers: dict[str, Fetched | FetchError] = {}

    def get(self, url: str) -> Fetched:
        """Read a document, or say again what was said of it.

        Raises:
            FetchError: url, address, timeout, too_large or connection.
            OutOfTimeError: the time of all is over, before this one or while it was read.
        """
        if url not in self._answers:
            self._answers[url] = self._ask(url)
        answer = self._answers[url]
        if isinstance(answer, FetchError):
            raise answer
        return answer

    def _ask(self, url: str) -> Fetched | FetchError:
        left = self._ends - time.monotonic()
        if left <= 0:
            raise OutOfTimeError
        http = replace(self._http, timeout_seconds=min(self._http.timeout_seconds, left))
        try:
            return http.get(url)
        except FetchError as error:
            if time.monotonic() >= self._ends:
                raise OutOfTimeError from None
            return error
