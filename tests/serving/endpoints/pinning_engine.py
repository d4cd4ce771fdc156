"""A server with the adapter calls and metrics of an engine that pins, in a thread, and none of its models."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class PinningEngine:
    """Holds names and whether each is pinned. `in_place` decides whether a second load changes the pin, as in our
    engine, or is refused, as in LMI; `pins` whether it pins at all, `tells` whether it has metrics."""

    def __init__(self, *, slots: int = 2, in_place: bool = True, pins: bool = True, tells: bool = True) -> None:
        self.slots, self.in_place, self.pins, self.tells = slots, in_place, pins, tells
        self.held: dict[str, bool] = {}
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def load(self, body: dict[str, Any]) -> tuple[int, str]:
        name, pin = body["lora_name"], bool(body.get("pin")) and self.pins
        if name in self.held and not self.in_place:
            return 400, "already_loaded"
        others = sum(pinned for other, pinned in self.held.items() if other != name)
        if pin and others >= self.slots:
            return 400, "no_free_slot"
        self.held[name] = pin
        return 200, ""

    def unload(self, body: dict[str, Any]) -> tuple[int, str]:
        return (200, "") if self.held.pop(body["lora_name"], None) is not None else (404, "not_found")

    def metrics(self) -> str:
        lines = [f"vllm:max_gpu_lora_adapters {self.slots}"]
        for name, pinned in self.held.items():
            labels = f'adapter_name="{name}",level="gpu",pinned="{str(pinned).lower()}",rank="4"'
            lines.append(f"vllm:lora_adapter_loaded{{{labels}}} 1")
        return "\n".join(lines)

    def models(self) -> str:
        adapters = [{"id": name, "parent": "base"} for name in self.held]
        return json.dumps({"data": [{"id": "base", "parent": None}, *adapters]})


@contextmanager
def serving(engine: PinningEngine) -> Iterator[str]:
    """The address of the engine on a free port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/metrics" and engine.tells:
                self._answer(200, engine.metrics())
            elif self.path == "/v1/models":
                self._answer(200, engine.models())
            else:
                self._answer(404, "")

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            call = self.path.removeprefix("/v1/").removesuffix("_lora_adapter")
            engine.asked.append((call, body))
            status, code = engine.load(body) if call == "load" else engine.unload(body)
            self._answer(status, json.dumps({"error": {"message": code, "code": code}}) if code else "Success")

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its base class calls it so
            pass

        def _answer(self, status: int, text: str) -> None:
            self.send_response(status)
            self.send_header("content-length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join(timeout=10)
