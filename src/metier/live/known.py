"""The people of a bundle: who they are, where they live, what they applied to."""

import weakref

import numpy as np

from metier.bundle import ProfilePart, open_people, person_text
from metier.data import Nums
from metier.data.types import Times
from metier.live.records import Asker


class KnownPeople:
    """Found by id; built once from a bundle, whose texts stay on disk in a file that is held open."""

    def __init__(self, part: ProfilePart) -> None:
        self._table, self._texts = part.people_table, open_people(part.folder, part.digest)
        weakref.finalize(self, self._texts.close)
        pairs = part.interactions
        order = np.argsort(pairs.users, kind="stable")
        self._items, self._times = pairs.items[order], pairs.times[order]
        self._start = np.searchsorted(pairs.users[order], np.arange(len(part.people_table) + 1))
        self._rows = {key: row for row, key in enumerate(part.people_table["id"].to_list())}

    def row(self, person: str | None) -> int | None:
        """The row number of a person of the bundle."""
        return None if person is None else self._rows.get(person)

    def applied(self, row: int) -> tuple[Nums, Times]:
        """(p,) row numbers of jobs of the bundle, and when."""
        mine = slice(self._start[row], self._start[row + 1])
        return self._items[mine], self._times[mine]

    def asker(self, person: str) -> Asker | None:
        """Text and place; None for somebody the bundle does not know."""
        row = self._rows.get(person)
        if row is None:
            return None
        one = self._table.row(row, named=True)
        place = {name: one[name] for name in ("city", "state", "country", "zip")}
        return Asker(text=person_text(self._texts, row), **place, person=person)
