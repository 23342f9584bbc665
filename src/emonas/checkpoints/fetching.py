"""One file from its address, over as many connections as it takes."""

import json
import re
import string
import time
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote
from urllib.request import Request, urlopen

from emonas.errors import EmonasError
from emonas.jobs import Progress, report_line
from emonas.storage.atomic import write_json

TIMEOUT = 60.0
# Seconds before each new try; a try that got further than all before begins them anew.
WAITS = (1.0, 4.0, 15.0)
REPORT_EVERY = 5.0
_BLOCK = 2**20
_PASSING = {408, 429, 500, 502, 503, 504}
_RANGE_REFUSED = 416


class _InterruptedError(Exception):
    """The connection broke off, or the server asks to come again."""


@dataclass(frozen=True)
class Download:
    """What is fetched: from `address` into `part`, with `source` noting what the part is of.

    `size` is that of the settings, in bytes. Where the server names no version of its file, a part
    is only gone on with if it is `digested` when it is whole. `advice` ends the error sentences.
    """

    address: str
    part: Path
    source: Path
    size: int | None
    digested: bool
    advice: str

    def fetch(self) -> None:
        """Fetch what is missing of the file; the part may be there from an earlier job.

        Raises:
            EmonasError: there is no network, the address is wrong, or the connection breaks off
                again and again.
            OSError: the part cannot be written.
        """
        waits = iter(WAITS)
        furthest = self._length()
        while True:
            try:
                self._try()
                return
            except _InterruptedError as error:
                if self._length() > furthest:
                    waits, furthest = iter(WAITS), self._length()
                wait = next(waits, None)
                if wait is None:
                    raise EmonasError(
                        f"{self.address}: the connection broke off after {self._length()} bytes, "
                        f"again and again ({error}); {self.advice}"
                    ) from error
                report_line(f"{self.address}: {error}; goes on in {wait:.0f} s")
                time.sleep(wait)

    def _try(self) -> None:
        have, version = self._known()
        try:
            response = urlopen(self._request(have, version), timeout=TIMEOUT)  # noqa: S310
        except HTTPError as error:
            with error:
                self._refused(error, have)
            return
        except (OSError, HTTPException) as error:
            reason = error.reason if isinstance(error, URLError) else error
            passing = isinstance(reason, ConnectionError | TimeoutError | HTTPException)
            if passing and not isinstance(reason, ConnectionRefusedError):
                raise _InterruptedError(_text(reason)) from error
            raise EmonasError(
                f"{self.address}: cannot be fetched ({_text(reason)}); {self.advice}"
            ) from error
        with closing(response):
            self._receive(response, have, version)

    def _request(self, have: int, version: str | None) -> Request:
        headers = {"User-Agent": "emonas"}
        if have:
            headers["Range"] = f"bytes={have}-"
            if version is not None:
                headers["If-Range"] = version
        # The options allow http, https and file only.
        return Request(quote(self.address, safe=string.punctuation), headers=headers)  # noqa: S310

    def _refused(self, error: HTTPError, have: int) -> None:
        """Return where the part is whole already; raise otherwise."""
        answer = f"the server answers {error.code} {error.reason}"
        if error.code == _RANGE_REFUSED and have:
            if error.headers.get("Content-Range") == f"bytes */{have}":
                return
            self.part.unlink()
            raise _InterruptedError("the file has changed, and is fetched anew") from error
        if error.code in _PASSING:
            raise _InterruptedError(answer) from error
        raise EmonasError(
            f"{self.address}: {answer}; correct the address, or {self.advice}"
        ) from error

    def _receive(self, response: Any, have: int, version: str | None) -> None:
        headers = response.headers
        # A file:// address has no status.
        if response.status == 206:
            span = re.match(r"bytes (\d+)-\d+/(\d+)$", headers.get("Content-Range", ""))
            other = version is not None and _version(headers) not in {version, None}
            if span is None or int(span[1]) != have or other:
                self.part.unlink(missing_ok=True)
                raise _InterruptedError("the file has changed, and is fetched anew")
            total: int | None = int(span[2])
        else:
            length = headers.get("Content-Length")
            total = int(length) if length is not None else None
        if None not in {self.size, total} and self.size != total:
            raise EmonasError(
                f"{self.address}: the server's file has {total} bytes, and the settings say "
                f"size: {self.size}; correct the address or the size"
            )
        if response.status != 206:
            self.part.unlink(missing_ok=True)
            write_json(self.source, {"address": self.address, "version": _version(headers)})
        self._append(response, total)

    def _append(self, response: Any, total: int | None) -> None:
        done = self._length()
        progress = Progress(self.part.stem, total or 0)
        reported = time.monotonic()
        with self.part.open("ab") as file:
            while block := _read(response):
                file.write(block)
                done += len(block)
                if time.monotonic() - reported >= REPORT_EVERY or done == total:
                    reported = time.monotonic()
                    if total:
                        progress.step(done, f"{done / total:.0%} of {total / 1e6:.1f} MB")
                    else:
                        report_line(f"{self.part.stem}: {done} bytes")
        if total is not None and done != total:
            raise _InterruptedError(f"{done} of {total} bytes came")

    def _known(self) -> tuple[int, str | None]:
        """Bytes of the part that can be gone on with, and the version of the file they are of."""
        if not self._length():
            return 0, None
        try:
            source = json.loads(self.source.read_bytes())
            address, version = source["address"], source["version"]
        except (OSError, ValueError, KeyError, TypeError):
            return 0, None
        if address != self.address or (version is None and not self.digested):
            return 0, None
        return self._length(), version

    def _length(self) -> int:
        return self.part.stat().st_size if self.part.exists() else 0


def _read(response: Any) -> bytes:
    try:
        block: bytes = response.read(_BLOCK)
    except (OSError, HTTPException) as error:
        raise _InterruptedError(_text(error)) from error
    return block


def _version(headers: Any) -> str | None:
    """What `If-Range` takes: a strong entity tag, else the time of the last change."""
    tag: str | None = headers.get("ETag")
    if tag is not None and not tag.startswith("W/"):
        return tag
    changed: str | None = headers.get("Last-Modified")
    return changed


def _text(reason: object) -> str:
    return " ".join(str(reason).split()) or type(reason).__name__
