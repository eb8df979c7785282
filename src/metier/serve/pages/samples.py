"""Made-up résumés to try the service with; they are of nobody."""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from metier.serve.problems import absent


@dataclass(frozen=True)
class Sample:
    """A résumé of somebody who does not exist."""

    id: str
    title: str
    """What the person is, for the button."""

    @property
    def text(self) -> str:
        """The résumé."""
        return _text(self.id)


SAMPLES = (Sample("nurse", "A nurse"), Sample("welder", "A welder"), Sample("developer", "A developer"))


def find(id: str) -> Sample:
    """A sample by its id; Refused (404) for no such one."""
    found = next((one for one in SAMPLES if one.id == id), None)
    if found is None:
        raise absent()
    return found


@cache
def _text(id: str) -> str:
    return (files("metier.serve") / "samples" / f"{id}.txt").read_text(encoding="utf-8")
