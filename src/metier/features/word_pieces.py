"""Texts -> word pieces of a byte-pair encoding (Sennrich, Haddow & Birch 2016), each word cut up once.

The vocabulary has no piece that reaches over a space, so a text's pieces are those of its words, one after the other,
and a catalogue has far fewer words than it has pieces. A text with what is special to the tokenizer, or with more than
one space in a row, is cut up as a whole.
"""

from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np

from metier.data import Nums

WORDS = 1_000_000
"""Words that are remembered; with more the memory is emptied."""


class WordPieces:
    """The numbers that `tokenizers.Tokenizer.encode` gives, without special tokens."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = type(tokenizer).from_str(tokenizer.to_str())  # of our own, without the padding of batches
        self._tokenizer.no_padding()
        self._special = tuple(str(token) for token in tokenizer.get_added_tokens_decoder().values())
        self._known: dict[str, tuple[int, ...]] = {}

    def cut(self, texts: Sequence[str]) -> tuple[Nums, Nums]:
        """(p,) int32 pieces of all n texts, and (n + 1,) int32 where those of each text begin."""
        words = [text.split(" ") if self._is_plain(text) else [text] for text in texts]
        if len(self._known) > WORDS:
            self._known = {}
        known = self._known
        new = list({word for text in words for word in text}.difference(known))
        for word, found in zip(new, self._tokenizer.encode_batch_fast(new, add_special_tokens=False), strict=True):
            known[word] = tuple(found.ids)
        found = [[known[word] for word in text] for text in words]
        starts = np.cumsum([0, *(sum(map(len, text)) for text in found)], dtype=np.int32)
        every = chain.from_iterable(chain.from_iterable(found))
        return np.fromiter(every, np.int32, int(starts[-1])), starts

    def _is_plain(self, text: str) -> bool:
        return "  " not in text and text == text.strip(" ") and not any(one in text for one in self._special)
