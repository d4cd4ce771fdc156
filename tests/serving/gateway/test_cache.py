"""One look-up for all who wait for the same key."""

import asyncio

import pytest

from serving.gateway.cache import ShortCache


class Source:
    """A look-up that waits until it is let go."""

    def __init__(self) -> None:
        self.calls = 0
        self.go = asyncio.Event()
        self.answer: int | None = 7
        self.error: Exception | None = None

    async def __call__(self) -> int | None:
        self.calls += 1
        await self.go.wait()
        if self.error is not None:
            raise self.error
        return self.answer


def test_a_hundred_who_wait_cost_one_look_up() -> None:
    async def run() -> None:
        cache: ShortCache[str, int] = ShortCache(seconds=60, size=8)
        source = Source()
        waiting = [asyncio.create_task(cache.get("key", source)) for _ in range(100)]
        other = asyncio.create_task(cache.get("other", source))
        await asyncio.sleep(0)
        waiting[0].cancel()
        source.go.set()
        assert await asyncio.gather(*waiting[1:], other) == [7] * 100
        assert source.calls == 2
        assert await cache.get("key", source) == 7
        assert source.calls == 2

    asyncio.run(run())


def test_an_error_goes_to_all_and_is_not_kept() -> None:
    async def run() -> None:
        cache: ShortCache[str, int] = ShortCache(seconds=60, size=8)
        source = Source()
        source.error = ConnectionError()
        source.go.set()
        results = await asyncio.gather(*(cache.get("key", source) for _ in range(5)), return_exceptions=True)
        assert all(isinstance(result, ConnectionError) for result in results)
        assert source.calls == 1
        source.error = None
        assert await cache.get("key", source) == 7

    asyncio.run(run())


@pytest.mark.parametrize("answer", [None, 7])
def test_what_has_no_value_is_asked_again(answer: int | None) -> None:
    async def run() -> None:
        cache: ShortCache[str, int] = ShortCache(seconds=60, size=2)
        source = Source()
        source.answer = answer
        source.go.set()
        for key in ("a", "b", "c", "c"):
            assert await cache.get(key, source) == answer
        assert source.calls == (4 if answer is None else 3)
        await cache.get("a", source)
        assert source.calls == (5 if answer is None else 4)

    asyncio.run(run())


def test_a_look_up_that_takes_too_long_is_joined_by_nobody_later() -> None:
    async def run() -> None:
        cache: ShortCache[str, int] = ShortCache(seconds=0, size=8)
        slow, quick = Source(), Source()
        late = asyncio.create_task(cache.get("key", slow))
        await asyncio.sleep(0)
        quick.go.set()
        quick.answer = 8
        assert await cache.get("key", quick) == 8
        slow.go.set()
        assert await late == 7

    asyncio.run(run())
