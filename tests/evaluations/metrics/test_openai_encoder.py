"""An encoder behind an address: what it is sent, what its replies may be, and the metrics that it brings to life."""

import base64
import json
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import numpy as np
import pytest

from evaluations.metrics.base import Answers
from evaluations.metrics.encoders import EncoderError, encoders
from evaluations.metrics.openai_encoder import LONGEST, TEXTS_AT_ONCE, OpenAIEncoder
from evaluations.metrics.similarity import BertScore, EmbeddingSimilarity
from portal.configured.encoders import all_encoders

Reply = Callable[[dict[str, Any]], tuple[int, bytes]]

DIRECTIONS = {"cat": (1.0, 0.0), "moggy": (0.8, 0.6), "dog": (0.0, 1.0)}


def packed(numbers: Any) -> str:
    return base64.b64encode(np.array(numbers, "<f4").tobytes()).decode()


def animals(body: dict[str, Any]) -> tuple[int, bytes]:
    """Each word has a direction, and a text that of its first word; the entries come in another order than asked."""
    entries: list[dict[str, Any]] = []
    for place, text in enumerate(body["input"]):
        tokens = [DIRECTIONS.get(word, (0.5, 0.5)) for word in text.split()]
        entry = {"index": place, "embedding": packed(tokens[0])}
        if body.get("token_vectors"):
            entry |= {"token_embeddings": packed(tokens), "tokens": len(tokens)}
        entries.insert(0, entry)
    return 200, json.dumps({"data": entries}).encode()


class Server:
    """A loopback server whose replies a test chooses; `asked` are the bodies and `keys` the headers that came."""

    def __init__(self) -> None:
        self.reply: Reply = animals
        self.asked: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                outer.asked.append(body)
                outer.keys.append(self.headers.get("authorization"))
                status, content = outer.reply(body)
                self.send_response(status)
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *args: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1"


@pytest.fixture
def server() -> Iterator[Server]:
    found = Server()
    thread = Thread(target=found.server.serve_forever)
    thread.start()
    yield found
    found.server.shutdown()
    thread.join()
    found.server.server_close()


@pytest.fixture
def encoder(server: Server) -> OpenAIEncoder:
    options = {"URL": server.url, "MODEL": "animals", "API_KEY": "secret", "TOKENS": True}
    return OpenAIEncoder("default", options)


def test_each_different_text_is_asked_once(server: Server, encoder: OpenAIEncoder) -> None:
    vectors = encoder.embed(["cat", "dog", "cat", " "])
    np.testing.assert_allclose(vectors, [(1, 0), (0, 1), (1, 0), (0, 0)])
    [body] = server.asked
    assert (body["input"], body["model"], body["encoding_format"]) == (["cat", "dog"], "animals", "base64")
    assert server.keys == ["Bearer secret"]


def test_many_texts_are_asked_in_parts_and_long_ones_cut(server: Server, encoder: OpenAIEncoder) -> None:
    texts = [f"text {place} " + "x" * LONGEST for place in range(TEXTS_AT_ONCE + 1)]
    assert len(encoder.embed(texts)) == TEXTS_AT_ONCE + 1
    assert [len(body["input"]) for body in server.asked] == [TEXTS_AT_ONCE, 1]
    assert max(len(text) for body in server.asked for text in body["input"]) == LONGEST


def test_texts_of_like_length_are_asked_together(server: Server, encoder: OpenAIEncoder) -> None:
    texts = ["cat " * (place % 2 * 30 + 1) for place in range(2 * TEXTS_AT_ONCE)]
    texts = [f"{text}{place:03}" for place, text in enumerate(texts)]
    encoder.embed(texts)
    assert [len(set(map(len, body["input"]))) for body in server.asked] == [1, 1]


def test_lists_of_numbers_are_read_too(server: Server, encoder: OpenAIEncoder) -> None:
    server.reply = lambda body: (200, json.dumps({"data": [{"index": 0, "embedding": [3, 4]}]}).encode())
    np.testing.assert_allclose(encoder.embed(["cat"]), [(3, 4)])


def test_no_texts_take_no_request(server: Server, encoder: OpenAIEncoder) -> None:
    assert encoder.embed([]).shape == (0, 0)
    assert encoder.embed_tokens([]) == []
    assert server.asked == []


def test_both_metrics_come_alive(encoder: OpenAIEncoder, monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    settings.ENCODERS = {"default": {"BACKEND": "unused", "OPTIONS": {}}}
    monkeypatch.setattr(encoders, "built", {"default": encoder})
    answers = Answers(["cat dog", "cat", "cat"], ["moggy dog", "dog", ""])
    alike, bert = EmbeddingSimilarity("embedding_similarity", {}), BertScore("bertscore", {})
    assert alike.unavailable(answers) == bert.unavailable(answers) == ""
    assert alike.scores(answers) == [pytest.approx(0.8), pytest.approx(0), None]
    # "moggy" is matched with "cat" (0.8) and "dog" with "dog" (1), both ways.
    assert bert.scores(answers) == [pytest.approx(0.9), pytest.approx(0), 0.0]
    assert alike.version == "animals"


@pytest.mark.parametrize(
    "reply",
    [
        (500, b"{}"),
        (401, b"{}"),
        (200, b"no json"),
        (200, b"[]"),
        (200, b'{"data": {}}'),
        (200, b'{"data": []}'),
        (200, b'{"data": [5]}'),
        (200, b'{"data": [{"index": 0, "embedding": "***"}]}'),
        (200, b'{"data": [{"index": 0, "embedding": "AAA="}]}'),
        (200, b'{"data": [{"index": 0, "embedding": [NaN]}]}'),
        (200, b'{"data": [{"index": 1, "embedding": [1]}]}'),
    ],
)
def test_other_replies_are_errors(server: Server, encoder: OpenAIEncoder, reply: tuple[int, bytes]) -> None:
    server.reply = lambda body: reply
    with pytest.raises(EncoderError, match="encoder"):
        encoder.embed(["cat"])


def test_vectors_of_several_lengths_are_an_error(server: Server, encoder: OpenAIEncoder) -> None:
    entries = [{"index": 0, "embedding": [1.0]}, {"index": 1, "embedding": [1.0, 2.0]}]
    server.reply = lambda body: (200, json.dumps({"data": entries}).encode())
    with pytest.raises(EncoderError, match="several lengths"):
        encoder.embed(["cat", "dog"])


def test_an_address_where_nobody_listens_is_an_error(server: Server) -> None:
    server.server.server_close()
    with pytest.raises(EncoderError, match="cannot be reached"):
        OpenAIEncoder("default", {"URL": server.url, "MODEL": "animals"}).embed(["cat"])


def test_settings_name_it() -> None:
    assert all_encoders(url="", key="", model="m", tokens=False) == {}
    found = all_encoders(url="http://127.0.0.1:1/v1", key="k", model="m", tokens=True)["default"]
    encoder = OpenAIEncoder("default", found["OPTIONS"])
    assert (encoder.model, encoder.has_tokens) == ("m", True)


@pytest.mark.parametrize("options", [{"MODEL": "m"}, {"URL": "http://x/v1"}, {"URL": "u", "MODEL": "m", "OTHER": 1}])
def test_wrong_options_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="ENCODERS"):
        OpenAIEncoder("default", options)
