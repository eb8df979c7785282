"""The list of stop words, without the package that it comes in."""

import subprocess
import sys


def test_stop_words_are_those_of_scikit_learn_which_is_not_imported():
    told = "import sys; from metier.enrich.phrases import english_stop_words as words; print(*sorted(words()))"
    told += "; print('sklearn' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    words, imported = done.stdout.splitlines()
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    assert words.split() == sorted(ENGLISH_STOP_WORDS)
    assert imported == "False"
