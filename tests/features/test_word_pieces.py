"""Word pieces from remembered words are those of the whole text."""

import numpy as np
import pytest

from metier.features.text import StaticEmbedder, _wordllama
from metier.features.word_pieces import WordPieces

TEXTS = [
    "Senior nurse, night shift",
    "Senior nurse",
    "",
    " ",
    " leads with a space",
    "ends with one ",
    "two  spaces",
    "a tab\tand a\nline",
    "\u00e9t\u00e9 \u4e2d\u6587 \U0001f469\u200d\U0001f4bb \u00a0 \u200b",
    "special <s> tokens</s> and <unk>",
    "C++ & C#; $12.50/hr!",
]


@pytest.fixture
def tokenizer():
    return _wordllama().tokenizer


def test_pieces_are_those_of_the_whole_text(tokenizer):
    pieces, starts = WordPieces(tokenizer).cut(TEXTS)
    for row, text in enumerate(TEXTS):
        whole = tokenizer.encode(text, add_special_tokens=False).ids
        assert pieces[starts[row] : starts[row + 1]].tolist() == whole, text


def test_no_piece_reaches_over_a_space(tokenizer):
    """What cutting at spaces rests on."""
    assert not [piece for piece in tokenizer.get_vocab() if "\u2581" in piece.lstrip("\u2581")]


def test_a_full_memory_is_emptied_and_nothing_changes(tokenizer, monkeypatch):
    monkeypatch.setattr("metier.features.word_pieces.WORDS", 3)
    words = WordPieces(tokenizer)
    one, two = words.cut(TEXTS), words.cut(TEXTS[::-1])
    assert len(words._known) < 40
    assert one[0].tolist() == WordPieces(tokenizer).cut(TEXTS)[0].tolist()
    assert two[0].tolist() == WordPieces(tokenizer).cut(TEXTS[::-1])[0].tolist()


def test_vectors_are_the_packages_to_the_bit():
    spoken = [text for text in TEXTS if text.strip()]
    theirs = _wordllama().embed(spoken, norm=True)
    np.testing.assert_array_equal(StaticEmbedder().embed(spoken), theirs)
