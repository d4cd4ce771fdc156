"""Routing rules: stable, in proportion, and keywords first."""

from collections import Counter

import pytest

from lorakit.route import KeywordRule, WeightedVersion, choose_version, match_keywords, pick_weighted

KEYS = [f"request-{number}" for number in range(20_000)]


def split(*weights: float) -> list[WeightedVersion]:
    return [WeightedVersion(f"v{index}", weight) for index, weight in enumerate(weights)]


def test_shares_follow_the_weights() -> None:
    counts = Counter(pick_weighted(split(90, 10), key) for key in KEYS)
    assert counts["v1"] / len(KEYS) == pytest.approx(0.10, abs=0.01)


def test_a_larger_canary_takes_keys_and_gives_none_back() -> None:
    before = {key: pick_weighted(split(95, 5), key) for key in KEYS}
    after = {key: pick_weighted(split(95, 20), key) for key in KEYS}
    assert all(after[key] == "v1" for key in KEYS if before[key] == "v1")
    assert pick_weighted(split(95, 5), "request-7") == before["request-7"]


def test_a_version_without_weight_gets_nothing() -> None:
    assert {pick_weighted(split(1, 0), key) for key in KEYS[:500]} == {"v0"}
    with pytest.raises(ValueError, match="above 0"):
        pick_weighted(split(0, 0), "key")


def test_keywords_are_whole_words_in_any_case_and_the_first_rule_wins() -> None:
    rules = [KeywordRule(("refund",), "billing"), KeywordRule(("fund", "c++"), "other")]
    assert match_keywords(rules, "Please REFUND me") == "billing"
    assert match_keywords(rules, "A fund, please") == "other"
    assert match_keywords(rules, "Is C++ taught?") == "other"
    assert match_keywords(rules, "refunded") is None
    assert choose_version(rules, split(1), key="k", text="nothing") == "v0"
    assert choose_version(rules, split(1), key="k", text="refund") == "billing"
