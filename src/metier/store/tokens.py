"""Ids that nobody can guess, secrets of which only the hash is kept, and hashes of passwords."""

import hashlib
import secrets
from functools import cache
from typing import NewType

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from metier.errors import UsageError

Hashed = NewType("Hashed", str)
"""An argon2id hash with its salt and parameters; never the password."""
PASSWORD_CHARACTERS = (12, 1024)
"""Shortest and longest password; without an upper limit a long one would keep the hash busy."""
_HASHER = PasswordHasher()


def new_id() -> str:
    """128 random bits, as 32 hexadecimal digits."""
    return secrets.token_hex(16)


def new_secret() -> str:
    """256 random bits, as 43 characters that fit in a URL."""
    return secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """SHA-256 of a random secret (or an id), 64 hexadecimal digits. Too fast for passwords."""
    return hashlib.sha256(secret.encode()).hexdigest()


def hash_password(password: str) -> Hashed:
    """Takes tens of milliseconds and 64 MiB: not to be called inside a transaction. UsageError for a wrong length."""
    shortest, longest = PASSWORD_CHARACTERS
    if not shortest <= len(password) <= longest:
        raise UsageError(f"a password has {shortest} to {longest} characters; cure: choose another one")
    return Hashed(_HASHER.hash(password))


def fits(password: str, hashed: str | None) -> bool:
    """Whether a password has this hash. Without a hash (nobody has the login) it takes as long and says no."""
    possible = hashed is not None and len(password) <= PASSWORD_CHARACTERS[1]
    try:
        return _HASHER.verify(hashed or hash_of_nobody(), password[: PASSWORD_CHARACTERS[1]]) and possible
    except (VerificationError, InvalidHashError):
        return False


def outdated(hashed: str) -> bool:
    """Whether a hash was made with weaker parameters than today's."""
    return _HASHER.check_needs_rehash(hashed)


@cache
def hash_of_nobody() -> Hashed:
    """What an unknown login is compared with; made at the first call, which takes as long as any hash."""
    return hash_password(new_secret())
