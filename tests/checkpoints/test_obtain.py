import errno
import hashlib
import json
import logging
import os
import re
import socket
import subprocess
import sys
import time

import pytest

from emonas.checkpoints.obtain import obtain_checkpoint
from emonas.checkpoints.options import CheckpointOptions
from emonas.checkpoints.record import read_checkpoint
from emonas.errors import EmonasError

FETCHER = """
import sys
from pathlib import Path
from emonas.checkpoints.obtain import obtain_checkpoint
from emonas.checkpoints.options import CheckpointOptions
from emonas.jobs import logged_job

address, folder, name = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
with logged_job(folder.parent / f"{name}.log"):
    options = CheckpointOptions(address=address)
    obtain_checkpoint(name, options, folder, folder.parent / f"{name}.json")
"""


def sha256(content):
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def obtain(tmp_path):
    """Obtains into a folder with a space, and gives the checkpoint as a later job reads it."""

    def run(**options):
        record = tmp_path / "r.json"
        obtain_checkpoint("big", CheckpointOptions(**options), tmp_path / "the cache", record)
        return read_checkpoint(record)

    return run


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "the cache"


def shown(folder):
    return sorted(path.name for path in folder.glob("*") if not path.name.startswith("."))


def begin(cache, address, content, version='"one"'):
    """Leave what a killed fetch leaves."""
    cache.mkdir()
    (cache / "w.pt.part").write_bytes(content)
    (cache / ".w.pt.source.json").write_text(json.dumps({"address": address, "version": version}))


def problem(obtain, **options):
    with pytest.raises(EmonasError) as caught:
        obtain(**options)
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_a_file_is_fetched_once(server, obtain, cache, weights):
    server.files["/b/w.pt"] = weights
    options = {"address": server.address("b/w.pt"), "sha256": sha256(weights)}
    first = obtain(**options, size=len(weights))
    assert first.path == cache / "w.pt"
    assert first.path.read_bytes() == weights
    assert first.digest == sha256(weights)
    assert obtain(**options) == first
    assert server.seen == [("/b/w.pt", None)]
    assert shown(cache) == ["w.pt"]


def test_progress_is_told_in_bytes_and_percent(server, obtain, weights, caplog):
    server.files["/w.pt"] = weights
    with caplog.at_level(logging.INFO, "emonas"):
        obtain(address=server.address("w.pt"))
    assert f"w.pt: {len(weights)} of {len(weights)}, 100% of 3.1 MB" in caplog.messages


def test_a_name_in_an_address_is_quoted_and_unquoted(server, obtain, cache):
    server.files["/%C3%BC/my%20w.pt"] = b"1"
    assert obtain(address=server.address("ü/my w.pt")).path == cache / "my w.pt"


def test_a_file_address_is_copied(obtain, cache, tmp_path, weights):
    source = tmp_path / "a release" / "w.pt"
    source.parent.mkdir()
    source.write_bytes(weights)
    assert obtain(address=source.as_uri()).path.read_bytes() == weights
    text = problem(obtain, address=f"{source.as_uri()}.old")
    assert "cannot be fetched" in text
    assert shown(cache) == ["w.pt"]


def test_a_download_that_is_cut_goes_on(server, obtain, weights):
    server.files["/w.pt"] = weights
    server.turns = [1_000_000, 500_000, "hang up", "503"]
    found = obtain(address=server.address("w.pt"))
    assert found.path.read_bytes() == weights
    assert server.spans == [None, "bytes=1000000-", *["bytes=1500000-"] * 3]
    assert server.sent == len(weights)


def test_without_ranges_a_download_that_is_cut_starts_anew(server, obtain, weights):
    server.files["/w.pt"] = weights
    server.ranges = False
    server.turns = [1_000_000]
    assert obtain(address=server.address("w.pt")).path.read_bytes() == weights
    assert server.spans == [None, "bytes=1000000-"]


def test_a_connection_that_is_always_cut_is_told_and_the_part_kept(server, obtain, cache, weights):
    server.files["/w.pt"] = weights
    server.turns = [1_000_000, 0, 0, 0]
    text = problem(obtain, address=server.address("w.pt"))
    assert f"1000000 of {len(weights)} bytes came" in text
    assert "run again to go on, or name a copy as checkpoints.big.path" in text
    assert shown(cache) == ["w.pt.part"]
    assert obtain(address=server.address("w.pt")).path.read_bytes() == weights
    assert server.spans[-1] == "bytes=1000000-"


def test_a_killed_fetch_goes_on(server, obtain, tmp_path, cache, weights):
    server.files["/w.pt"] = weights
    address = server.address("w.pt")
    server.turns = [2 * 2**20]
    code = FETCHER.replace("import sys", "import sys, time", 1).replace(
        "with logged_job",
        "from emonas.checkpoints import fetching\nfetching.WAITS = (600,)\nwith logged_job",
        1,
    )
    process = subprocess.Popen([sys.executable, "-c", code, address, str(cache), "first"])
    part = cache / "w.pt.part"
    until(lambda: part.exists() and part.stat().st_size == 2 * 2**20)
    process.kill()
    process.wait()
    assert shown(cache) == ["w.pt.part"]
    assert obtain(address=address).path.read_bytes() == weights
    assert server.spans == [None, f"bytes={2 * 2**20}-"]
    # The server counts when it has sent, which may be after the fetch has ended.
    until(lambda: server.sent == len(weights))
    assert shown(cache) == ["w.pt"]


def until(holds):
    end = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_part_that_is_whole_is_not_fetched(server, obtain, cache, weights):
    server.files["/w.pt"] = weights
    begin(cache, server.address("w.pt"), weights)
    assert obtain(address=server.address("w.pt")).path.read_bytes() == weights
    assert server.spans == [f"bytes={len(weights)}-"]
    assert server.sent == 0


@pytest.mark.parametrize("length", [1000, 5 * 2**20])
def test_a_part_of_another_version_is_fetched_anew(server, obtain, cache, weights, length):
    server.files["/w.pt"] = weights
    begin(cache, server.address("w.pt"), b"x" * length, '"older"')
    assert obtain(address=server.address("w.pt")).path.read_bytes() == weights
    assert server.sent == len(weights)


def test_a_part_that_is_too_long_is_fetched_anew(server, obtain, cache, weights):
    server.files["/w.pt"] = weights
    begin(cache, server.address("w.pt"), weights + b"x")
    assert obtain(address=server.address("w.pt")).path.read_bytes() == weights


def test_a_part_of_another_address_is_fetched_anew(server, obtain, cache, weights):
    server.files["/w.pt"] = weights
    begin(cache, server.address("older/w.pt"), b"x" * 1000)
    assert obtain(address=server.address("w.pt")).path.read_bytes() == weights
    assert server.spans == [None]


def test_a_part_of_no_version_is_gone_on_with_only_where_it_is_digested(
    server, obtain, cache, weights
):
    server.files["/w.pt"] = weights
    server.tag = None
    begin(cache, server.address("w.pt"), weights[:1000], None)
    obtain(address=server.address("w.pt"), sha256=sha256(weights))
    assert server.spans == ["bytes=1000-"]
    (cache / "w.pt").rename(cache / "w.pt.part")
    obtain(address=server.address("w.pt"))
    assert server.spans == ["bytes=1000-", None]


def test_a_server_without_lengths_is_served_by_the_size(server, obtain, cache, weights):
    server.files["/w.pt"] = weights
    server.tells_length = False
    server.turns = [1000]
    text = problem(obtain, address=server.address("w.pt"), size=len(weights))
    assert f"there are 1000 bytes, and checkpoints.big.size is {len(weights)}" in text
    assert shown(cache) == []
    found = obtain(address=server.address("w.pt"), size=len(weights))
    assert found.path.read_bytes() == weights


def test_another_size_is_told_before_the_download(server, obtain, cache, weights):
    server.files["/w.pt"] = weights
    text = problem(obtain, address=server.address("w.pt"), size=5)
    assert f"the server's file has {len(weights)} bytes, and the settings say size: 5" in text
    assert shown(cache) == []


def test_other_bytes_are_refused_with_both_digests(server, obtain, cache, weights):
    server.files["/w.pt"] = b"other" + weights[5:]
    text = problem(obtain, address=server.address("w.pt"), sha256=sha256(weights))
    assert sha256(weights) in text
    assert sha256(server.files["/w.pt"]) in text
    assert shown(cache) == []
    server.files["/w.pt"] = weights
    assert obtain(address=server.address("w.pt"), sha256=sha256(weights)).digest == sha256(weights)


def test_other_bytes_in_the_folder_are_refused_and_kept(server, obtain, cache):
    cache.mkdir()
    (cache / "w.pt").write_bytes(b"mine")
    text = problem(obtain, address=server.address("w.pt"), sha256=sha256(b"yours"))
    assert sha256(b"mine") in text
    assert sha256(b"yours") in text
    assert (cache / "w.pt").read_bytes() == b"mine"
    assert server.seen == []


def test_two_addresses_of_one_name_do_not_serve_each_other(server, obtain, weights):
    server.files["/a/w.pt"] = server.files["/b/w.pt"] = weights
    obtain(address=server.address("a/w.pt"))
    text = problem(obtain, address=server.address("b/w.pt"))
    assert f"was fetched from {server.address('a/w.pt')}, not from" in text
    assert obtain(address=server.address("b/w.pt"), sha256=sha256(weights)).path.name == "w.pt"


@pytest.mark.parametrize(("status", "tries"), [("404", 1), ("403", 1), ("500", 4)])
def test_a_refusal_is_one_sentence(server, obtain, cache, status, tries):
    server.files["/w.pt"] = b"1"
    server.turns = [status] * 5
    text = problem(obtain, address=server.address("w.pt"))
    assert f"the server answers {status}" in text
    assert len(server.seen) == tries
    assert shown(cache) == []


def test_a_server_that_stalls_is_given_up_in_time(obtain, monkeypatch):
    monkeypatch.setattr("emonas.checkpoints.fetching.TIMEOUT", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/w.pt"
        assert "timed out" in problem(obtain, address=address)


@pytest.mark.parametrize("host", ["127.0.0.1:1", "no-such-host.invalid"])
def test_no_network_is_one_sentence_with_the_ways_out(obtain, cache, host):
    text = problem(obtain, address=f"http://{host}/w.pt")
    assert text.startswith(f"http://{host}/w.pt: cannot be fetched (")
    for way in ("run again", "checkpoints.big.path", "$EMONAS_CHECKPOINTS", str(cache), "w.pt"):
        assert way in text


def test_a_path_serves_in_place(obtain, cache, tmp_path, weights, server):
    path = tmp_path / "mine.pt"
    path.write_bytes(weights)
    found = obtain(path=path, address=server.address("w.pt"), sha256=sha256(weights))
    assert (found.path, found.digest) == (path, sha256(weights))
    assert server.seen == []
    assert not cache.exists()
    text = problem(obtain, path=path, sha256="0" * 64)
    assert "0" * 64 in text
    assert sha256(weights) in text
    assert "there are" in problem(obtain, path=path, size=5)
    assert path.read_bytes() == weights


def test_a_folder_serves_in_place(obtain, tmp_path):
    path = tmp_path / "release"
    path.mkdir()
    (path / "train.yaml").write_bytes(b"a: 1")
    (path / "final.pt").write_bytes(b"weights")
    lines = f"final.pt {sha256(b'weights')}\ntrain.yaml {sha256(b'a: 1')}\n"
    found = obtain(path=path, sha256=sha256(lines.encode()), size=11)
    assert found.path == path


def test_what_is_not_there_is_one_sentence(obtain, tmp_path):
    text = problem(obtain, path=tmp_path / "gone.pt")
    assert text == f"{tmp_path / 'gone.pt'}: there is no such file or folder; correct its path"
    assert "none of path, address, hub and file is given" in problem(obtain)


def test_a_digest_that_nobody_gave_is_advised(obtain, tmp_path, caplog):
    path = tmp_path / "w.pt"
    path.write_bytes(b"1")
    with caplog.at_level(logging.INFO, "emonas"):
        obtain(path=path)
    advice = f"write sha256: {sha256(b'1')} into the settings"
    assert advice in caplog.text
    caplog.clear()
    with caplog.at_level(logging.INFO, "emonas"):
        obtain(path=path, sha256=sha256(b"1"))
    assert "sha256:" not in caplog.text


def test_two_processes_make_one_download(server, cache, tmp_path, weights):
    server.files["/w.pt"] = weights
    command = [sys.executable, "-c", FETCHER, server.address("w.pt"), str(cache)]
    processes = [subprocess.Popen([*command, name]) for name in ("first", "second")]
    assert [process.wait(60) for process in processes] == [0, 0]
    assert server.seen == [("/w.pt", None)]
    for name in ("first", "second"):
        assert read_checkpoint(tmp_path / f"{name}.json").path.read_bytes() == weights


@pytest.fixture
def small_disk(tmp_path):
    disk = tmp_path / "small disk"
    disk.mkdir()
    mounted = (
        os.geteuid() == 0
        and not subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk],
            capture_output=True,
            check=False,
        ).returncode
    )
    if not mounted:
        pytest.skip("only root can make a small disk, and not everywhere")
    yield disk
    subprocess.run(["umount", disk], check=True)


def test_a_full_disk_is_one_sentence(server, small_disk, tmp_path, weights):
    server.files["/w.pt"] = weights
    options = CheckpointOptions(address=server.address("w.pt"))
    for _ in range(2):
        with pytest.raises(EmonasError, match=r"the disk is full\); make room") as caught:
            obtain_checkpoint("big", options, small_disk, tmp_path / "r.json")
        assert caught.value.__cause__.errno == errno.ENOSPC
        assert shown(small_disk) == ["w.pt.part"]
    assert not (tmp_path / "r.json").exists()
    subprocess.run(["mount", "-o", "remount,size=8m", small_disk], check=True)
    obtain_checkpoint("big", options, small_disk, tmp_path / "r.json")
    assert (small_disk / "w.pt").read_bytes() == weights
    assert re.fullmatch(r"bytes=\d+-", server.spans[-1])


def test_a_folder_that_cannot_be_made_is_one_sentence(server, obtain, cache):
    cache.write_text("a file stands here")
    text = problem(obtain, address=server.address("w.pt"))
    assert "cannot be written" in text
    assert "$EMONAS_CHECKPOINTS" in text
