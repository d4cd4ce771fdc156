"""Parses PromQL: selectors, functions over ranges, aggregations by labels, and quantiles of histograms."""

import re
from dataclasses import dataclass, field

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
OVER_RANGES = ("rate", "increase", "avg_over_time", "max_over_time", "min_over_time")
AGGREGATIONS = ("sum", "avg", "max", "min")
TOKEN = re.compile(
    r'\s*(?:(?P<text>"[^"\\]*")|(?P<number>\d+(?:\.\d+)?[smhd]?)|(?P<word>[a-zA-Z_:][\w:]*)|(?P<sign>\S))'
)


class BadQuery(Exception):
    """The query cannot be read; the text says why."""


@dataclass(frozen=True, kw_only=True)
class Selector:
    """Series by name and labels; `seconds` is the range, 0 for the newest sample."""

    name: str
    labels: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Function:
    """One of OVER_RANGES."""

    name: str
    of: Selector


@dataclass(frozen=True, kw_only=True)
class Aggregation:
    """One of AGGREGATIONS, of the series that have the same values of the labels `by`."""

    name: str
    by: tuple[str, ...]
    of: "Expression"


@dataclass(frozen=True, kw_only=True)
class Quantile:
    """histogram_quantile."""

    share: float
    of: "Expression"


Expression = Selector | Function | Aggregation | Quantile


def parse(text: str) -> Expression:
    """Raises BadQuery."""
    parser = _Parser([(found.lastgroup or "", found[0].strip()) for found in TOKEN.finditer(text)])
    expression = parser.expression()
    parser.end()
    return expression


class _Parser:
    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens = [token for token in tokens if token[1]]

    def expression(self) -> Expression:
        kind, text = self._peek()
        if kind == "word" and text in AGGREGATIONS:
            return self._aggregation()
        if kind == "word" and text in OVER_RANGES:
            return self._function()
        if (kind, text) == ("word", "histogram_quantile"):
            return self._quantile()
        return self._selector()

    def end(self) -> None:
        if self._tokens:
            raise BadQuery(f'parse error: unexpected "{self._tokens[0][1]}"')

    def _aggregation(self) -> Aggregation:
        name, by = self._take(), self._by()
        self._take("(")
        of = self.expression()
        self._take(")")
        return Aggregation(name=name, by=by or self._by(), of=of)

    def _by(self) -> tuple[str, ...]:
        if self._peek() != ("word", "by"):
            return ()
        self._take()
        self._take("(")
        labels = [self._label()]
        while self._peek()[1] == ",":
            self._take()
            labels.append(self._label())
        self._take(")")
        return tuple(labels)

    def _function(self) -> Function:
        name = self._take()
        self._take("(")
        of = self._selector()
        self._take(")")
        if not of.seconds:
            raise BadQuery(f"expected type range vector in call to function {name}")
        return Function(name=name, of=of)

    def _quantile(self) -> Quantile:
        self._take()
        self._take("(")
        share = self._take()
        self._take(",")
        of = self.expression()
        self._take(")")
        try:
            return Quantile(share=float(share), of=of)
        except ValueError:
            raise BadQuery(f"not a number: {share}") from None

    def _selector(self) -> Selector:
        kind, text = self._peek()
        name, labels = "", {}
        if kind == "word":
            name = self._take()
        elif text != "{":
            raise BadQuery(f'parse error: unexpected "{text}"')
        if self._peek()[1] == "{":
            self._take()
            while self._peek()[1] != "}":
                label = self._label()
                if self._peek()[1] == "=":
                    self._take()
                    labels[label] = self._text()
                elif name:
                    raise BadQuery("metric name must not be set twice")
                else:
                    name = label
                if self._peek()[1] == ",":
                    self._take()
            self._take("}")
        name = labels.pop("__name__", name)
        if not name:
            raise BadQuery("A metric name is required.")
        return Selector(name=name, labels=labels, seconds=self._range())

    def _range(self) -> float:
        if self._peek()[1] != "[":
            return 0.0
        self._take()
        text = self._take()
        self._take("]")
        if text[-1:] not in UNITS:
            raise BadQuery(f"bad duration: {text}")
        return float(text[:-1]) * UNITS[text[-1]]

    def _label(self) -> str:
        return self._text() if self._peek()[0] == "text" else self._take()

    def _text(self) -> str:
        if self._peek()[0] != "text":
            raise BadQuery(f'parse error: unexpected "{self._peek()[1]}", expected string')
        return self._take()[1:-1]

    def _peek(self) -> tuple[str, str]:
        return self._tokens[0] if self._tokens else ("", "end of input")

    def _take(self, wanted: str = "") -> str:
        text = self._peek()[1]
        if not self._tokens or (wanted and text != wanted):
            raise BadQuery(f'parse error: unexpected "{text}"' + (f', expected "{wanted}"' if wanted else ""))
        return self._tokens.pop(0)[1]
