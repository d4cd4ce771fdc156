"""CloudWatch's PromQL endpoint: `POST /api/v1/query` and `/api/v1/query_range`, which botocore has no operation for."""

import json
import math
import re
from typing import Any

from werkzeug.wrappers import Request as HttpRequest
from werkzeug.wrappers import Response

from standin.cloudwatch.promql.evaluation import evaluate
from standin.cloudwatch.promql.expressions import BadQuery, Expression, Selector, parse
from standin.cloudwatch.promql.series import Labels, Series

PATHS = ("/api/v1/query", "/api/v1/query_range")
LONGEST_QUERY = 10_000
LONGEST_SCAN = 86_400.0
MOST_SERIES = 500
MOST_STEPS = 11_000
STEP = re.compile(r"(\d+(?:\.\d+)?)([smhd]?)")
UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}


class PromQL:
    """Answers queries over `series`."""

    def __init__(self, series: Series) -> None:
        self._series = series

    def respond(self, http: HttpRequest, now: float) -> Response:
        """The HTTP response to a query that is signed correctly."""
        try:
            if http.method != "POST" or http.mimetype != "application/x-www-form-urlencoded":
                raise BadQuery("Send the query as a form, by POST.")
            form = {name: http.form[name] for name in http.form}
            return _answer(self._instant(form, now) if http.path == PATHS[0] else self._range(form))
        except BadQuery as error:
            return _error(str(error))

    def _instant(self, form: dict[str, str], now: float) -> dict[str, Any]:
        at = _number(form, "time", now)
        expression = _query(form)
        _check_scan(_reach(expression))
        found = evaluate(expression, self._series, at)
        result = [{"metric": dict(labels), "value": [at, _text(value)]} for labels, value in _first(found, form)]
        return {"resultType": "vector", "result": result}

    def _range(self, form: dict[str, str]) -> dict[str, Any]:
        expression, start, end = _query(form), _number(form, "start"), _number(form, "end")
        match = STEP.fullmatch(form.get("step", ""))
        step = float(match[1]) * UNITS[match[2]] if match else 0.0
        if not step or end < start or (end - start) / step > MOST_STEPS:
            raise BadQuery("invalid parameter: start, end or step")
        _check_scan(end - start + _reach(expression))
        values: dict[Labels, list[list[Any]]] = {}
        for number in range(int((end - start) / step) + 1):
            at = start + number * step
            for labels, value in evaluate(expression, self._series, at).items():
                values.setdefault(labels, []).append([at, _text(value)])
        result = [{"metric": dict(labels), "values": of} for labels, of in _first(values, form)]
        return {"resultType": "matrix", "result": result}


def _query(form: dict[str, str]) -> Expression:
    text = form.get("query", "")
    if not text or len(text) > LONGEST_QUERY:
        raise BadQuery("invalid parameter: query")
    return parse(text)


def _number(form: dict[str, str], name: str, otherwise: float | None = None) -> float:
    if name not in form and otherwise is not None:
        return otherwise
    try:
        return float(form[name])
    except (KeyError, ValueError):
        raise BadQuery(f"invalid parameter: {name}") from None


def _reach(expression: Expression) -> float:
    """How far back a query looks from each moment, in seconds."""
    return expression.seconds if isinstance(expression, Selector) else _reach(expression.of)


def _check_scan(seconds: float) -> None:
    if seconds > LONGEST_SCAN:
        raise BadQuery("The query scans more than 24 hours.")


def _first(found: dict[Labels, Any], form: dict[str, str]) -> list[tuple[Labels, Any]]:
    most = _number(form, "limit", MOST_SERIES)
    if not 1 <= most <= MOST_SERIES:
        raise BadQuery("invalid parameter: limit")
    return sorted(found.items(), key=lambda pair: sorted(pair[0]))[: int(most)]


def _text(value: float) -> str:
    return "NaN" if math.isnan(value) else repr(value)


def _answer(data: dict[str, Any]) -> Response:
    return Response(json.dumps({"status": "success", "data": data}), content_type="application/json")


def _error(text: str) -> Response:
    body = json.dumps({"status": "error", "errorType": "bad_data", "error": text})
    return Response(body, status=400, content_type="application/json")
