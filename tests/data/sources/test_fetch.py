from __future__ import annotations

import gzip
import hashlib
import os
import re
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from rarelabels.data.sources import fetch, mulan, source, wikipedia_movies, xed
from rarelabels.errors import UserError

FILES = {"LICENSE": b"Do as you like.\n", "movies-1900s.json": b"[]\n", "movies-1910s.json": b'[{"title": "A"}]\n'}
CHECKSUMS = {name: hashlib.sha256(content).hexdigest() for name, content in FILES.items()}


@dataclass
class Server:
    """A server on this machine in place of the real one."""

    url: str
    files: dict[str, bytes]
    asked: list[str] = field(default_factory=list)
    cut_short: bool = False


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
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

    http = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    served = Server(f"http://127.0.0.1:{http.server_port}/commit", dict(FILES))
    thread = threading.Thread(target=http.serve_forever, args=[0.01])
    thread.start()
    yield served
    http.shutdown()
    thread.join()
    http.server_close()


def run(folder: Path, url: str) -> list[str]:
    """Fetch three files into a folder, whose name is then that of the data set."""
    said: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RARELABELS_DATA", str(folder.parent))
        fetch.fetch(folder.name, said.append, {folder.name: fetch.Source("MIT and CC BY-SA", url, CHECKSUMS)})
    return said


def refused(folder: Path, url: str) -> str:
    with pytest.raises(UserError) as error:
        run(folder, url)
    message = str(error.value)
    assert "\n" not in message
    return message


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_every_file_arrives_and_the_licence_is_told_once(server: Server, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "films"
    said = run(folder, server.url)
    assert contents(folder) == FILES
    assert server.asked == list(FILES)
    assert sum("MIT" in line and "CC BY-SA" in line for line in said) == 1
    assert said[-1] == f"{folder}: complete, 3 of 3 files downloaded"


def test_what_is_there_and_right_is_left_alone_plain_or_gzipped(server: Server, tmp_path: Path) -> None:
    (tmp_path / "LICENSE").write_bytes(FILES["LICENSE"])
    (tmp_path / "movies-1900s.json.gz").write_bytes(gzip.compress(FILES["movies-1900s.json"]))
    (tmp_path / "movies-1910s.json").write_bytes(b"cut sho")
    said = run(tmp_path, server.url)
    assert server.asked == ["movies-1910s.json"]
    assert (tmp_path / "movies-1910s.json").read_bytes() == FILES["movies-1910s.json"]
    assert not (tmp_path / "movies-1900s.json").exists()
    assert said[-1].endswith("1 of 3 files downloaded")
    assert run(tmp_path, server.url)[-1].endswith("0 of 3 files downloaded")
    assert len(server.asked) == 1


def test_a_damaged_gzip_file_is_not_taken_for_the_right_one(server: Server, tmp_path: Path) -> None:
    (tmp_path / "movies-1900s.json.gz").write_bytes(gzip.compress(FILES["movies-1900s.json"])[:-9])
    run(tmp_path, server.url)
    assert (tmp_path / "movies-1900s.json").read_bytes() == FILES["movies-1900s.json"]


def test_a_wrong_checksum_is_refused_and_nothing_of_it_is_kept(server: Server, tmp_path: Path) -> None:
    server.files["movies-1900s.json"] = b"<html>log in</html>"
    message = refused(tmp_path, server.url)
    assert f"{server.url}/movies-1900s.json: is not the pinned file" in message
    assert CHECKSUMS["movies-1900s.json"] in message
    assert hashlib.sha256(b"<html>log in</html>").hexdigest() in message
    assert contents(tmp_path) == {"LICENSE": FILES["LICENSE"]}

    server.files["movies-1900s.json"] = FILES["movies-1900s.json"]
    run(tmp_path, server.url)
    assert contents(tmp_path) == FILES
    assert server.asked.count("LICENSE") == 1


def test_a_wrong_download_leaves_the_old_file_as_it_was(server: Server, tmp_path: Path) -> None:
    (tmp_path / "LICENSE").write_bytes(b"old")
    server.files["LICENSE"] = b"wrong"
    refused(tmp_path, server.url)
    assert contents(tmp_path) == {"LICENSE": b"old"}


def test_an_answer_cut_short_is_refused(server: Server, tmp_path: Path) -> None:
    server.cut_short = True
    assert "LICENSE: cannot be downloaded: IncompleteRead" in refused(tmp_path, server.url)
    assert contents(tmp_path) == {}


def test_a_file_the_source_does_not_have(server: Server, tmp_path: Path) -> None:
    del server.files["LICENSE"]
    assert f"{server.url}/LICENSE: cannot be downloaded: HTTP Error 404: Not Found" in refused(tmp_path, server.url)


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


def test_a_folder_that_cannot_be_made(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    message = refused(tmp_path / "file" / "films", server.url)
    assert "cannot be written" in message
    assert "RARELABELS_DATA" in message


def test_an_interrupted_write_leaves_no_part_file(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(file: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, server.url)
    assert contents(tmp_path) == {}


def test_files_in_folders_of_a_data_set(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RARELABELS_DATA", str(tmp_path))
    server.files = {"a/x.arff": b"x", "b/x.arff": b"y", "b/x.xml": b"z"}
    checksums = {name: hashlib.sha256(content).hexdigest() for name, content in server.files.items()}
    (tmp_path / "sets/b").mkdir(parents=True)
    (tmp_path / "sets/b/x.arff.gz").write_bytes(gzip.compress(b"y"))
    said: list[str] = []
    fetch.fetch("sets", said.append, {"sets": fetch.Source("none", server.url, checksums)})
    assert server.asked == ["a/x.arff", "b/x.xml"]
    assert (tmp_path / "sets/a/x.arff").read_bytes() == b"x"
    assert (tmp_path / "sets/b/x.xml").read_bytes() == b"z"
    assert said == [
        "none",
        f"{tmp_path}/sets/a/x.arff: downloading",
        f"{tmp_path}/sets/b/x.xml: downloading",
        f"{tmp_path}/sets: complete, 2 of 3 files downloaded",
    ]


def test_a_data_set_that_cannot_be_fetched() -> None:
    said: list[str] = []
    with pytest.raises(UserError) as error:
        fetch.fetch("movies", said.append)
    assert str(error.value) == (
        "fetch: 'movies' is not among the data sets to fetch; allowed: wikipedia_movies, xed, mulan"
    )
    assert not said


def test_the_licence_is_told_first_even_without_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RARELABELS_DATA", str(tmp_path))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")  # nobody is behind it
    monkeypatch.setenv("no_proxy", "")
    for name, licence in {"wikipedia_movies": "MIT", "xed": "CC BY 4.0", "mulan": "no licence is stated"}.items():
        said: list[str] = []
        with pytest.raises(UserError, match=rf"^{fetch.SOURCES[name].url}/.*: cannot be downloaded: "):
            fetch.fetch(name, said.append)
        assert licence in said[0]
        assert not any("\n" in line for line in said)


# The pinned sources


def test_the_pinned_files_are_what_the_loaders_read() -> None:
    read = {
        "wikipedia_movies": {"LICENSE", *(f"{stem}.json" for stem in wikipedia_movies.STEMS)},
        "xed": {xed.FILE},
        "mulan": {f"{name}/{file}" for name, files in mulan.FILES.items() for file in files},
    }
    assert {name: set(one.checksums) for name, one in fetch.SOURCES.items()} == read
    assert {wikipedia_movies.NAME, xed.NAME, mulan.NAME} == set(read)


@pytest.mark.parametrize("pinned", fetch.SOURCES.values(), ids=fetch.SOURCES)
def test_a_source_is_a_commit_and_not_a_branch(pinned: fetch.Source) -> None:
    assert re.match(r"https://raw\.githubusercontent\.com/[\w-]+/[\w-]+/[0-9a-f]{40}(/|$)", pinned.url)
    assert not pinned.url.endswith("/")
    assert all(re.fullmatch("[0-9a-f]{64}", checksum) for checksum in pinned.checksums.values())


@pytest.mark.parametrize("name", fetch.SOURCES)
def test_the_pinned_checksums_are_those_of_the_real_files(name: str) -> None:
    if not source.folder(name).is_dir():
        pytest.skip(f"the real data are not on this machine: {source.folder(name)}")
    # With all files in place nothing is downloaded: this address answers nobody.
    pinned = fetch.SOURCES[name]
    said: list[str] = []
    fetch.fetch(name, said.append, {name: replace(pinned, url="http://127.0.0.1:9")})
    assert said[-1].endswith(f"complete, 0 of {len(pinned.checksums)} files downloaded")
