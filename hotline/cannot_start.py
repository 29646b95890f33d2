"""Why the hotline, or a command of it, does not begin."""


class CannotStart(RuntimeError):
    """Something is missing or taken; the message says what, and what to do."""
