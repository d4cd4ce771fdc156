"""What an engine's metrics say of where its adapters are."""

from pathlib import Path

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.backends.residency import Loaded, Residency, joined, read_residency, samples
from tests.examples import examples

RECORDED = (Path(__file__).parent / "metrics.txt").read_text()


def test_adapters_are_in_slots_or_in_memory() -> None:
    found = read_residency(RECORDED)
    assert found is not None
    assert found.adapters == {
        "busy": Loaded(level="gpu", is_pinned=True),
        "idle": Loaded(level="cpu"),
        'a "quoted" \\ name, with={brackets}': Loaded(level="gpu"),
    }
    assert found.pinned == {"busy"}
    assert (found.slots, found.running, found.waiting) == (4, 3, 1)
    assert found.loads == 10
    assert found.seconds_a_load == pytest.approx(0.0025)
    # What is no number is left out.
    assert found.memory == {"base": 7_871_232, "slots": 9_338_880, "process": 380_000_000}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<html>Not found</html>",
        "vllm:num_requests_running 1\n",
        'vllm:lora_requests_info{max_lora="4",running_lora_adapters="busy"} 1.7e9\n',
    ],
)
def test_metrics_without_adapters_say_nothing(text: str) -> None:
    assert read_residency(text) is None


def test_an_engine_without_adapters_says_so() -> None:
    found = read_residency("vllm:max_gpu_lora_adapters 4\n")
    assert found is not None
    assert found.adapters == {}
    assert found.seconds_a_load is None


@hypothesis.settings(max_examples=examples(50))
@given(st.text())
def test_no_text_breaks_the_reading(text: str) -> None:
    list(samples(text))
    read_residency(f"vllm:max_gpu_lora_adapters 4\n{text}")


@given(
    st.dictionaries(
        st.from_regex(r"[a-z][a-z_]{0,7}", fullmatch=True), st.text(st.characters(exclude_categories=["C", "Z"]))
    )
)
def test_labels_come_back_as_they_were_written(labels: dict[str, str]) -> None:
    written = ",".join(
        '{}="{}"'.format(name, value.replace("\\", "\\\\").replace('"', '\\"')) for name, value in labels.items()
    )
    [sample] = samples(f"a:b{{{written}}} 2")
    assert sample.labels == labels


def test_of_several_servers_the_farthest_copy_counts() -> None:
    first = Residency(
        adapters={"a": Loaded(level="gpu", is_pinned=True), "b": Loaded(level="gpu"), "c": Loaded(level="gpu")},
        slots=4, loads=2, load_seconds=0.2, memory={"base": 5},
    )  # fmt: skip
    second = Residency(
        adapters={"a": Loaded(level="gpu"), "b": Loaded(level="cpu")}, slots=2, loads=3, load_seconds=0.3,
        memory={"base": 7},
    )  # fmt: skip
    both = joined([first, second])
    assert both is not None
    assert both.adapters == {"a": Loaded(level="gpu"), "b": Loaded(level="cpu")}
    assert (both.slots, both.loads, both.memory) == (2, 5, {"base": 7})
    assert joined([first, None]) is None
    assert joined([]) is None
