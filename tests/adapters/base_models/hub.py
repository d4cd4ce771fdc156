"""A hub with one model, as far as huggingface_hub asks it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import unquote

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class Hub:
    """Serves a folder as the model `maker/small`. `breaks_off` files end after their first half, once each."""

    folder: Path
    url: str = ""
    is_gated: bool = False
    breaks_off: set[str] = field(default_factory=set)
    read: list[str] = field(default_factory=list)

    def files(self) -> list[str]:
        return sorted(str(path.relative_to(self.folder)) for path in self.folder.rglob("*") if path.is_file())


@contextmanager
def running_hub(folder: Path) -> Iterator[Hub]:
    hub = Hub(folder)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self.answer(with_body=False)

        def do_GET(self) -> None:
            self.answer(with_body=True)

        def answer(self, *, with_body: bool) -> None:
            path = unquote(self.path.partition("?")[0])
            if hub.is_gated:
                return self.refuse(403, "GatedRepo")
            if path.startswith("/api/models/maker/small"):
                if path.endswith(("/revision/main", "/small", f"/revision/{COMMIT}")):
                    return self.describe()
                if path.endswith(f"/tree/{COMMIT}"):
                    return self.list()
                return self.refuse(404, "RevisionNotFound")
            if path.startswith("/api/models/"):
                return self.refuse(404, "RepoNotFound")
            name = path.removeprefix(f"/maker/small/resolve/{COMMIT}/")
            if name not in hub.files():
                return self.refuse(404, "EntryNotFound")
            return self.give(name, with_body=with_body)

        def describe(self) -> None:
            siblings = [{"rfilename": name, "size": (hub.folder / name).stat().st_size} for name in hub.files()]
            about = {"id": "maker/small", "sha": COMMIT, "siblings": siblings, "cardData": {"license": "apache-2.0"}}
            self.say(about)

        def list(self) -> None:
            self.say(
                [
                    {"type": "file", "path": name, "oid": COMMIT, "size": (hub.folder / name).stat().st_size}
                    for name in hub.files()
                ]
            )

        def say(self, what: object) -> None:
            body = json.dumps(what).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def give(self, name: str, *, with_body: bool) -> None:
            content = (hub.folder / name).read_bytes()
            start = int(self.headers.get("range", "bytes=0-").removeprefix("bytes=").partition("-")[0])
            self.send_response(206 if start else 200)
            self.send_header("x-repo-commit", COMMIT)
            self.send_header("etag", f'"{sha256(content).hexdigest()}"')
            self.send_header("content-length", str(len(content) - start))
            if start:
                self.send_header("content-range", f"bytes {start}-{len(content) - 1}/{len(content)}")
            self.end_headers()
            if not with_body:
                return
            hub.read.append(name)
            if name in hub.breaks_off:
                hub.breaks_off.discard(name)
                self.wfile.write(content[start : start + len(content) // 2])
                self.close_connection = True
                return
            self.wfile.write(content[start:])

        def refuse(self, status: int, code: str) -> None:
            self.send_response(status)
            self.send_header("x-error-code", code)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    hub.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield hub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
