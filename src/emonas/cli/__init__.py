"""The commands for people."""

import sys

from emonas.cli.main import application
from emonas.errors import EmonasError


def app() -> None:
    """Run a command; what the user can mend is one sentence, not a traceback."""
    try:
        application()
    except EmonasError as error:
        print(f"emonas: {error}", file=sys.stderr)
        sys.exit(1)
