"""Parses request bodies of the REST API. Settings refer to it, so it imports no views."""

from collections.abc import Mapping
from typing import IO, Any

import msgspec
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser
from rest_framework.renderers import JSONRenderer


class StrictJSONParser(BaseParser):
    """JSON in UTF-8 that can be stored and sent back: without the lone surrogates that Python's parser accepts."""

    media_type = "application/json"
    renderer_class = JSONRenderer

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """The parsed value. Raises ParseError if the body is not valid JSON or is nested too deeply."""
        try:
            return msgspec.json.decode(stream.read())
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise ParseError(f"The request body is not valid UTF-8 JSON: {error}.") from None
