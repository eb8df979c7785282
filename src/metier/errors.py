"""The exceptions of metier. Each message says what is wrong, where, and what to do about it.

The command line turns `exit_code` into the exit status: 1 failure, 2 wrong use, 3 data rejected.
"""


class MetierError(Exception):
    """Base of every error that metier raises on purpose."""

    exit_code = 1


class UsageError(MetierError):
    """The caller asked for something that does not exist or does not fit together."""

    exit_code = 2


class ConfigError(UsageError):
    """A configuration file, map or setting is wrong."""


class UnknownIdError(UsageError):
    """An external id is not in the vocabulary."""


class DataRejectedError(MetierError):
    """Too much of the input was set aside, or a file is not what it claims to be."""

    exit_code = 3


class NotFittedError(MetierError):
    """A model was asked to score before `fit`."""


class BundleError(MetierError):
    """A stored model is incomplete, altered or of another version."""


class MissingExtraError(MetierError):
    """A part that is not installed by default is needed: `MissingExtraError("two-tower", "torch")`."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(
            f"{what} needs the extra [{extra}], which is not installed; cure: pip install 'metier[{extra}]', "
            f"in a clone PIP_CONSTRAINT=constraints.txt .venv/bin/pip install -e '.[{extra}]'"
        )


class StoreError(MetierError):
    """The database does not answer, or refuses."""


class StoreFullError(StoreError):
    """The database has no room left to write; reading and deleting go on."""


class ShardError(MetierError):
    """A process that holds a part of the catalogue does not answer."""


class ModelAnswerError(MetierError):
    """A language model gave no usable answer: out of reach, refusing, or not in the form asked for."""


class BudgetError(MetierError):
    """The budget set for a language model is spent."""
