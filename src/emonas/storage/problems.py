"""What is wrong with a file's values, in one line."""

from pydantic import ValidationError


def first_problem(error: Exception) -> str:
    """The first value that pydantic refuses, with its key's path; else the error's first line."""
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        return f"{where}: {first['msg']}" if where else first["msg"]
    lines = str(error).splitlines()
    return lines[0] if lines else type(error).__name__
