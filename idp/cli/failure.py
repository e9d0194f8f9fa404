"""What ends a command with one line."""


class CommandError(Exception):
    """A command that cannot be done; the text says what to do."""
