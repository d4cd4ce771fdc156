"""What the columns of a file are guessed to be, for a proposal."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpora.ingest.layouts.guessing import propose
from tests.examples import examples

QUESTIONS = ["Wo ist mein Paket?", "Warum blinkt der Router rot?", "Kann ich die Rechnung später zahlen?"]
ANSWERS = ["Es liegt im Depot in Köln.", "Der Sensor ist verdeckt, bitte reinigen.", "Ja, bis zum 15. des Monats."]
PREGUNTAS = ["¿Dónde está mi paquete?", "¿Por qué parpadea el router?", "¿Puedo pagar la factura más tarde?"]
RESPUESTAS = ["Está en el depósito de Madrid.", "El sensor está tapado, límpielo.", "Sí, hasta el día 15 del mes."]


def table(columns: dict[str, list[Any]], times: int = 4) -> list[dict[str, Any]]:
    """Rows of the columns, whose texts are made different each time they are repeated."""
    count = times * max(map(len, columns.values()), default=0)
    return [{name: _varied(values[row % len(values)], row) for name, values in columns.items()} for row in range(count)]


def _varied(value: Any, row: int) -> Any:
    return f"{value} ({row})" if isinstance(value, str) and len(value.split()) > 2 else value


@pytest.mark.parametrize(
    ("columns", "pair"),
    [
        ({"Frage": QUESTIONS, "Antwort": ANSWERS}, ("Frage", "Antwort")),
        ({"Antwort": ANSWERS, "Frage": QUESTIONS}, ("Antwort", "Frage")[::-1]),
        ({"pregunta": PREGUNTAS, "respuesta": RESPUESTAS}, ("pregunta", "respuesta")),
        ({"Text": QUESTIONS, "Bearbeitung": ANSWERS}, ("Text", "Bearbeitung")),
        ({"solución": RESPUESTAS, "mensaje": PREGUNTAS}, ("mensaje", "solución")),
        ({"a": ANSWERS, "b": [text.upper() for text in ANSWERS]}, ("a", "b")),
        ({"kundenfrage (raw)": QUESTIONS, "agent_reply_final": ANSWERS}, ("kundenfrage (raw)", "agent_reply_final")),
        ({"kundenfrage": QUESTIONS, "bearbeitung": ANSWERS}, ("kundenfrage", "bearbeitung")),
        ({"Frage": ["Ort?", "Zeit?"], "Antwort": ["Köln", "morgen"]}, ("Frage", "Antwort")),
    ],
)
@pytest.mark.parametrize(
    "others", [{}, {"ID": [1, 2, 3], "Datum": ["2026-05-01 10:00", "2026-05-02 11:00"], "x": [""]}]
)
def test_questions_and_answers_are_found(
    columns: dict[str, list[Any]], pair: tuple[str, str], others: dict[str, list[Any]]
) -> None:
    rows = table({**columns, **others})
    assert propose(rows) == dict(zip(("prompt", "completion"), pair, strict=True))


@pytest.mark.parametrize("layout", ["", "classification"])
def test_texts_and_their_labels_are_found(layout: Any) -> None:
    rows = table({"Kanal": ["mail"], "Nachricht": QUESTIONS, "Thema": ["Lieferung", "Technik", "Rechnung"]})
    assert propose(rows, layout) == {"text": "Nachricht", "label": "Thema"}
    stars = table({"reseña": RESPUESTAS, "estrellas": [1, 2, 5]})
    assert propose(stars, layout) == {"text": "reseña", "label": "estrellas"}


@pytest.mark.parametrize("turns", [[{"role": "user", "content": "q"}], '[{"from": "human", "value": "q"}]'])
def test_a_list_of_turns_is_found(turns: Any) -> None:
    assert propose([{"ID": 1, "Verlauf": turns}]) == {"messages": "Verlauf"}


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [{}],
        [{"a": 1, "b": 2}],
        table({"Name": ["Anna Müller", "José García"], "Ort": ["Bad Ems", "San José"]}),
        table({"Text": QUESTIONS}),
        table({"Text": QUESTIONS, "Nummer": [1, 2, 3], "leer": [None]}, times=1),
        [{"Text": "[1, 2", "x": "[]"}],
    ],
)  # fmt: skip
def test_nothing_is_proposed_where_nothing_is_clear(rows: list[dict[str, Any]]) -> None:
    assert propose(rows) == {}


def test_only_the_fields_of_a_chosen_layout_are_proposed() -> None:
    rows = table({"Frage": QUESTIONS, "Antwort": ANSWERS, "Thema": ["a", "b", "c"]})
    assert propose(rows, "classification")["label"] == "Thema"
    assert propose(rows, "chat") == propose(rows, "preference") == {}


ANYTHING = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text()) | st.just("[{")


@settings(max_examples=examples(200), deadline=None)
@given(st.lists(st.dictionaries(st.text(max_size=8) | st.none(), ANYTHING, max_size=5), max_size=12))
def test_any_rows_give_columns_that_exist_or_none(rows: list[dict[Any, Any]]) -> None:
    found = propose(rows)
    assert set(found.values()) <= {name for row in rows for name in row}
    assert len(set(found.values())) == len(found)
