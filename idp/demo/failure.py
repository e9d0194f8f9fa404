"""What ends the demo early, in words for the person who started it."""


class DemoFailure(Exception):  # noqa: N818  it is no bug: the words are shown as they are
    """The demo cannot start or go on. The message says why and what to do."""


class StopRequested(Exception):  # noqa: N818  it is no error: somebody pressed Ctrl-C
    """The demo was told to stop while it was still starting."""
