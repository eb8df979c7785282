"""Secrets: long, never the same, and kept as hashes only."""

import pytest

from metier.errors import UsageError
from metier.store.tokens import digest, fits, hash_password, new_id, new_secret, outdated

PASSWORD = "correct horse battery"


def test_ids_and_secrets_are_long_and_never_the_same():
    assert len({new_id() for _ in range(1000)}) == 1000
    assert len(bytes.fromhex(new_id())) == 16
    assert len({new_secret() for _ in range(1000)}) == 1000
    assert len(new_secret()) == 43, "256 bits at 6 bits a character"


def test_a_digest_is_sha256():
    assert digest("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_a_password_fits_its_own_hash_only():
    hashed = hash_password(PASSWORD)
    assert hashed.startswith("$argon2id$")
    assert PASSWORD not in hashed
    assert fits(PASSWORD, hashed)
    assert not fits(PASSWORD + " ", hashed)
    assert not fits("", hashed)
    assert not outdated(hashed)
    assert hash_password(PASSWORD) != hashed, "salted"


def test_nobody_has_no_password():
    assert not fits(PASSWORD, None)
    assert not fits("", None)
    assert not fits(PASSWORD, "not a hash")


def test_a_weaker_hash_is_outdated():
    assert outdated("$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$" + "A" * 43)


@pytest.mark.parametrize("password", ["", "x" * 11, "x" * 1025])
def test_a_password_has_a_length(password):
    with pytest.raises(UsageError, match="12 to 1024 characters"):
        hash_password(password)


def test_a_long_text_is_not_a_password():
    assert not fits("x" * 1025, hash_password("x" * 1024))
