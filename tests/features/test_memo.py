"""Memo: values are made once, and the oldest go first."""

from metier.features.memo import Memo


def test_a_value_is_made_once_until_it_no_longer_fits():
    made: list[str] = []
    memo: Memo[str] = Memo(10, lambda key, value: len(value))

    def ask(key: str, size: int) -> str:
        return memo.get(key, lambda: made.append(key) or key * size)

    for key in ("a", "b", "a", "b"):
        ask(key, 4)
    assert made == ["a", "b"]
    ask("a", 4)
    ask("c", 4)  # b was asked for longest ago
    ask("a", 4)
    assert made == ["a", "b", "c"]
    ask("b", 4)
    assert made == ["a", "b", "c", "b"]
    ask("d", 99)  # too large, and yet the newest
    assert ask("d", 99) == "d" * 99
    assert made[-1] == "d"
    assert len(memo._kept) == 1
