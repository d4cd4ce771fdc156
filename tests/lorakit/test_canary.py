"""Evidence about a canary's callers."""

import random

import pytest

from lorakit.stats.canary import Callers, evidence_of_harm, evidence_of_safety
from lorakit.stats.evidence import DECISIVE
from lorakit.stats.shares import newcombe_difference

EXACT = 1e-6


def failing(canary: int, live: int) -> list[Callers]:
    """Callers with errors in both arms; those without add nothing."""
    return [Callers(in_canary=True, x=1.0, count=canary), Callers(in_canary=False, x=1.0, count=live)]


@pytest.mark.parametrize(("canary", "callers", "value"), [(12, 40, 92.681730), (9, 40, 2.586872)])
def test_errors_of_a_canary(canary: int, callers: int, value: float) -> None:
    assert evidence_of_harm(failing(canary, callers - canary), share=0.1) == pytest.approx(value, abs=EXACT)


def test_a_canary_that_is_safe_to_widen() -> None:
    assert evidence_of_safety(failing(20, 25), share=0.5) == pytest.approx(28.956535, abs=EXACT)
    assert evidence_of_safety(failing(25, 20), share=0.5) < 1


def test_callers_who_fare_well_say_nothing() -> None:
    well = [Callers(in_canary=arm, x=0.0, count=10_000) for arm in (True, False)]
    assert evidence_of_harm(well, share=0.1) == 1.0


def test_no_evidence_is_too_much_to_write_down() -> None:
    assert evidence_of_harm(failing(100_000, 0), share=0.1) > 1e300
    assert evidence_of_harm(failing(0, 100_000), share=0.1) < 1e-300


@pytest.mark.parametrize("x", [-0.1, 1.1])
def test_how_a_caller_fared_is_a_share(x: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        evidence_of_harm([Callers(in_canary=True, x=x)], share=0.5)


@pytest.mark.parametrize(("live", "canary", "least", "most"), [(0.02, 0.02, 0, 12), (0.02, 0.12, 60, 100)])
def test_a_hundred_canaries(live: float, canary: float, least: int, most: int) -> None:
    """Harmless ones are rarely halted though they are looked at after every caller, harmful ones nearly always."""
    chance = random.Random(7)
    halted = 0
    for _ in range(100):
        seen: list[Callers] = []
        for _ in range(1_000):
            arm = chance.random() < 0.1
            if chance.random() < (canary if arm else live):
                seen.append(Callers(in_canary=arm, x=1.0))
                if evidence_of_harm(seen, share=0.1) >= DECISIVE:
                    halted += 1
                    break
    assert least <= halted <= most


def test_the_difference_of_two_shares() -> None:
    # Newcombe (1998), table II, example (a): 56 of 70 and 48 of 80.
    found = newcombe_difference((48, 56), (80, 70))
    assert (found.low, found.high) == pytest.approx((0.0524, 0.3339), abs=5e-5)
    with pytest.raises(ValueError, match="at least 1"):
        newcombe_difference((0, 0), (0, 1))
