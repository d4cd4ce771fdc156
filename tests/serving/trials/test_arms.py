"""Which arm a caller is in."""

from serving.trials.arms import MARK_LENGTH, caller_mark, in_canary


def test_a_caller_stays_in_one_arm_and_the_share_holds() -> None:
    marks = [caller_mark("salt", key_id="key", user=f"person {number}") for number in range(20_000)]
    assert marks == [caller_mark("salt", key_id="key", user=f"person {number}") for number in range(20_000)]
    assert {len(mark) for mark in marks} == {MARK_LENGTH}
    for share in (0.01, 0.1, 0.5):
        assert abs(sum(in_canary(mark, share) for mark in marks) / len(marks) - share) < 0.012
    # Who is in a small canary is in a larger one of the same trial.
    assert all(in_canary(mark, 0.5) for mark in marks if in_canary(mark, 0.1))


def test_another_trial_chooses_others() -> None:
    people = [f"person {number}" for number in range(2_000)]
    first, second = (
        {user for user in people if in_canary(caller_mark(salt, key_id="key", user=user), 0.5)} for salt in ("a", "b")
    )
    assert 400 < len(first & second) < 600


def test_a_name_tells_nothing_and_may_be_any_text() -> None:
    mark = caller_mark("salt", key_id="key", user="ruth@example.com")
    assert "ruth" not in mark
    assert len(caller_mark("salt", key_id="key", user="\ud800 \0 \N{SNOWMAN}")) == MARK_LENGTH
    assert caller_mark("salt", key_id="k", user="x") != caller_mark("salt", key_id="k2", user="x")


def test_nobody_is_in_a_share_of_nothing() -> None:
    assert not any(in_canary(f"{number:032x}", 0.0) for number in range(100))
