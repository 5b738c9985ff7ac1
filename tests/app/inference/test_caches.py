"""A bounded cache that threads share."""

from concurrent.futures import ThreadPoolExecutor

from app.inference.caches import Cache


def test_what_was_used_longest_ago_makes_room() -> None:
    cache: Cache[int] = Cache(2)
    cache.put("a", 1)
    cache.put("b", 2)
    assert cache.get("a") == 1
    cache.put("c", 3)
    assert (cache.get("a"), cache.get("b"), cache.get("c")) == (1, None, 3)


def test_a_cache_without_room_keeps_nothing() -> None:
    cache: Cache[int] = Cache(0)
    cache.put("a", 1)
    assert cache.get("a") is None


def test_threads_share_it() -> None:
    cache: Cache[int] = Cache(8)

    def use(number: int) -> bool:
        name = str(number % 16)
        cache.put(name, number % 16)
        return cache.get(name) in (None, number % 16)

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(use, range(4000)))
