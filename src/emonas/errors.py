"""The one exception that is written for users."""


class EmonasError(Exception):
    """Something the user can mend: one sentence that names the file or key and says what to do."""
