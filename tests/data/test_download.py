import hashlib
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from trimtab.config import InputError
from trimtab.data.download import fetch
from trimtab.data.files import cache_root

pytestmark = pytest.mark.usefixtures("own_environment")

BODY = os.urandom(600_000)
SHA1 = hashlib.sha1(BODY).hexdigest()


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):  # the base class's name
        self.server.asked += 1
        if self.path == "/missing.zip":
            self.send_error(404)
            return
        self.send_response(200)
        if self.path != "/unsized.zip":
            self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        self.wfile.write(BODY[:-5] if self.path == "/cut.zip" else BODY)

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.asked = 0
        server.address = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("name", ["a.zip", "unsized.zip"])
def test_a_file_is_fetched_once(server, tmp_path, capsys, name):
    for _ in range(2):
        path = fetch(f"{server.address}/{name}", SHA1, tmp_path / "new" / "folder")
        assert path == tmp_path / "new" / "folder" / name
        assert path.read_bytes() == BODY
    assert server.asked == 1
    assert capsys.readouterr() == ("", "")


def test_a_spoilt_file_in_the_cache_is_fetched_again(server, tmp_path):
    (tmp_path / "a.zip").write_bytes(BODY[:-1])
    assert fetch(f"{server.address}/a.zip", SHA1, tmp_path).read_bytes() == BODY
    assert server.asked == 1


def test_threads_that_start_together_fetch_once(server, tmp_path):
    threads = [
        threading.Thread(target=fetch, args=(f"{server.address}/a.zip", SHA1, tmp_path)) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert server.asked == 1
    assert (tmp_path / "a.zip").read_bytes() == BODY


@pytest.mark.parametrize(
    ("name", "sha1", "message"),
    [
        ("a.zip", "0" * 40, "altered or truncated; put a.zip into a folder"),
        ("cut.zip", SHA1, "put cut.zip into a folder and name that folder with --data"),
        ("missing.zip", SHA1, "could not be downloaded .*; put missing.zip into a folder"),
    ],
    ids=["altered", "cut", "missing"],  # the body, and so its sum, is another in every process
)
def test_what_is_not_the_expected_file_is_refused_and_not_kept(server, tmp_path, name, sha1, message):
    with pytest.raises(InputError, match=message):
        fetch(f"{server.address}/{name}", sha1, tmp_path)
    assert [path.name for path in tmp_path.iterdir() if not path.name.endswith(".lock")] == []


def test_an_address_that_does_not_answer_is_an_input_error(tmp_path):
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as closed:
        address = f"http://127.0.0.1:{closed.server_port}/a.zip"
    with pytest.raises(InputError, match=r"could not be downloaded \(.*refused\)"):
        fetch(address, SHA1, tmp_path)


def test_a_cache_that_cannot_be_written_to_is_an_input_error(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InputError, match=r"cannot be written .*TRIMTAB_CACHE"):
        fetch("http://127.0.0.1/a.zip", SHA1, tmp_path / "file" / "downloads")


def test_progress_is_shown_on_a_terminal(server, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    fetch(f"{server.address}/a.zip", SHA1, tmp_path)
    out, err = capsys.readouterr()
    assert out == ""
    assert "a.zip" in err


def test_the_cache_is_the_users_unless_named(monkeypatch, tmp_path):
    assert cache_root() == tmp_path / "cache"
    monkeypatch.delenv("TRIMTAB_CACHE")
    assert cache_root().name == "trimtab"
