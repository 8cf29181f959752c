from __future__ import annotations

import gzip
import hashlib
import os
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from rarelabels.datasets import fetch, wikipedia_movies
from rarelabels.schema import MissingDataError, UserError, WikipediaMoviesSpec

FILES = {"LICENSE": b"Do as you like.\n", "movies-1900s.json": b"[]\n", "movies-1910s.json": b'[{"title": "A"}]\n'}
CHECKSUMS = {name: hashlib.sha256(content).hexdigest() for name, content in FILES.items()}


@dataclass
class Source:
    """A server on this machine in place of the real one."""

    url: str
    files: dict[str, bytes]
    asked: list[str] = field(default_factory=list)
    cut_short: bool = False


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch) -> Iterator[Source]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.removeprefix("/commit/")
            served.asked.append(name)
            if name not in served.files:
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(served.files[name]) + 9 * served.cut_short))
            self.end_headers()
            self.wfile.write(served.files[name])

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    served = Source(f"http://127.0.0.1:{server.server_port}/commit", dict(FILES))
    thread = threading.Thread(target=server.serve_forever, args=[0.01])
    thread.start()
    yield served
    server.shutdown()
    thread.join()
    server.server_close()


def run(folder: Path, url: str) -> list[str]:
    said: list[str] = []
    fetch.fetch_wikipedia_movies(folder, said.append, base_url=url, checksums=CHECKSUMS)
    return said


def refused(folder: Path, url: str) -> str:
    with pytest.raises(UserError) as error:
        run(folder, url)
    message = str(error.value)
    assert "\n" not in message
    return message


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_every_file_arrives_and_the_licence_is_told_once(source: Source, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "films"
    said = run(folder, source.url)
    assert contents(folder) == FILES
    assert source.asked == list(FILES)
    assert sum("MIT" in line and "CC BY-SA" in line for line in said) == 1
    assert said[-1] == f"{folder}: complete, 3 of 3 files downloaded"


def test_what_is_there_and_right_is_left_alone_plain_or_gzipped(source: Source, tmp_path: Path) -> None:
    (tmp_path / "LICENSE").write_bytes(FILES["LICENSE"])
    (tmp_path / "movies-1900s.json.gz").write_bytes(gzip.compress(FILES["movies-1900s.json"]))
    (tmp_path / "movies-1910s.json").write_bytes(b"cut sho")
    said = run(tmp_path, source.url)
    assert source.asked == ["movies-1910s.json"]
    assert (tmp_path / "movies-1910s.json").read_bytes() == FILES["movies-1910s.json"]
    assert not (tmp_path / "movies-1900s.json").exists()
    assert said[-1].endswith("1 of 3 files downloaded")
    assert run(tmp_path, source.url)[-1].endswith("0 of 3 files downloaded")
    assert len(source.asked) == 1


def test_a_damaged_gzip_file_is_not_taken_for_the_right_one(source: Source, tmp_path: Path) -> None:
    (tmp_path / "movies-1900s.json.gz").write_bytes(gzip.compress(FILES["movies-1900s.json"])[:-9])
    run(tmp_path, source.url)
    assert (tmp_path / "movies-1900s.json").read_bytes() == FILES["movies-1900s.json"]


def test_a_wrong_checksum_is_refused_and_nothing_of_it_is_kept(source: Source, tmp_path: Path) -> None:
    source.files["movies-1900s.json"] = b"<html>log in</html>"
    message = refused(tmp_path, source.url)
    assert f"{source.url}/movies-1900s.json: is not the pinned file" in message
    assert CHECKSUMS["movies-1900s.json"] in message
    assert hashlib.sha256(b"<html>log in</html>").hexdigest() in message
    assert contents(tmp_path) == {"LICENSE": FILES["LICENSE"]}

    source.files["movies-1900s.json"] = FILES["movies-1900s.json"]
    run(tmp_path, source.url)
    assert contents(tmp_path) == FILES
    assert source.asked.count("LICENSE") == 1


def test_a_wrong_download_leaves_the_old_file_as_it_was(source: Source, tmp_path: Path) -> None:
    (tmp_path / "LICENSE").write_bytes(b"old")
    source.files["LICENSE"] = b"wrong"
    refused(tmp_path, source.url)
    assert contents(tmp_path) == {"LICENSE": b"old"}


def test_an_answer_cut_short_is_refused(source: Source, tmp_path: Path) -> None:
    source.cut_short = True
    assert "LICENSE: cannot be downloaded: IncompleteRead" in refused(tmp_path, source.url)
    assert contents(tmp_path) == {}


def test_a_file_the_source_does_not_have(source: Source, tmp_path: Path) -> None:
    del source.files["LICENSE"]
    assert f"{source.url}/LICENSE: cannot be downloaded: HTTP Error 404: Not Found" in refused(tmp_path, source.url)


def test_without_network_the_message_says_what_where_and_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with socket.socket() as nobody:  # bound and not listening: the port refuses
        nobody.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        message = refused(tmp_path, url)
    assert message.startswith(f"{url}/LICENSE: cannot be downloaded: ")
    assert "Connection refused" in message
    assert message.endswith(f"or copy the files of a machine that has them to {tmp_path}")


def test_a_server_that_says_nothing_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(fetch, "TIMEOUT_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        message = refused(tmp_path, f"http://127.0.0.1:{silent.getsockname()[1]}")
    assert "cannot be downloaded: timed out" in message


def test_a_folder_that_cannot_be_made(source: Source, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    message = refused(tmp_path / "file" / "films", source.url)
    assert "cannot be written" in message
    assert "RARELABELS_DATA" in message


def test_an_interrupted_write_leaves_no_part_file(
    source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(file: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, source.url)
    assert contents(tmp_path) == {}


def test_the_pinned_files_are_what_the_loader_reads() -> None:
    assert set(fetch.CHECKSUMS) == {"LICENSE", *(f"{stem}.json" for stem in wikipedia_movies.STEMS)}
    assert fetch.COMMIT in fetch.BASE_URL


def test_the_pinned_checksums_are_those_of_the_real_files() -> None:
    try:
        wikipedia_movies.content(WikipediaMoviesSpec(kind="wikipedia_movies"))
    except MissingDataError as error:
        pytest.skip(f"the real films are not on this machine: {error}")
    # With all files in place nothing is downloaded: this address answers nobody.
    said: list[str] = []
    fetch.fetch_wikipedia_movies(wikipedia_movies.source(), said.append, base_url="http://127.0.0.1:9")
    assert said[-1].endswith("complete, 0 of 14 files downloaded")
