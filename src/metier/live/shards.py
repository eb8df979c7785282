"""The scan of a catalogue over several processes, each with the jobs of some places.

What travels are arrays in the safetensors format: a question and which of a shard's jobs are allowed, a bit each; back
come row numbers and scores. A shard knows nothing of people, filters or later postings.
"""

import heapq
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from metier.data import Floats, Nums, Ranking
from metier.live.scan import Question
from metier.models.base import merged

HEARD: tuple[bool | None, ...] = (False, True, None)
Ask = Callable[[int, str, bytes], bytes]
"""Number of a shard (from 0), version of a bundle, question -> answer; ShardError when there is none."""


def divided(group: Nums, count: int) -> list[Nums]:
    """Row numbers of each of `count` shards, ascending: whole places, the largest first, each to the shard that holds
    the fewest jobs so far.

    >>> [rows.tolist() for rows in divided(np.array([0, 0, 0, 1, 2, 2]), 2)]
    [[0, 1, 2], [3, 4, 5]]
    """
    sizes = np.bincount(group)
    shard, held = np.zeros(len(sizes), np.int32), [(0, number) for number in range(count)]
    for place in np.argsort(-sizes, kind="stable").tolist():
        jobs, number = heapq.heappop(held)
        shard[place] = number
        heapq.heappush(held, (jobs + int(sizes[place]), number))
    return [np.flatnonzero(shard[group] == number).astype(np.int32) for number in range(count)]


@dataclass(frozen=True)
class Shards:
    """The processes that hold the parts of catalogues, the same ones for every bundle.

    Parameters
    ----------
    hold : sees to it that a shard holds a bundle of this version; returns when it does.
    """

    count: int
    ask: Ask
    hold: Callable[[int, str], None]
    threads: ThreadPoolExecutor

    def of(self, version: str, group: Nums) -> "Spread":
        """A bundle's jobs, once every shard holds its part; ShardError if one does not.

        Parameters
        ----------
        group : (I,) number of each job's place.
        """
        list(self.threads.map(lambda number: self.hold(number, version), range(self.count)))
        return Spread(self, version, divided(group, self.count), len(group))


@dataclass(frozen=True)
class Spread:
    """All jobs of a bundle, searched by shards at once: the answer is that of a `Scan` of all, bit for bit."""

    shards: Shards
    version: str
    rows: Sequence[Nums]
    size: int

    def best(self, question: Question, k: int, allowed: NDArray[np.bool_]) -> tuple[Nums, Floats]:
        """Row numbers and scores of the k best jobs among those allowed (I,); ShardError if a shard is silent."""

        def one(number: int) -> Ranking:
            asked = question_bytes(question, k, allowed[self.rows[number]])
            items, scores = read_answer(self.shards.ask(number, self.version, asked))
            return Ranking(items[None], scores[None])

        found = merged(list(self.shards.threads.map(one, range(self.shards.count))), k, self.size)
        items, scores = found.items[0], found.scores[0]
        return items[items >= 0], scores[items >= 0]


def question_bytes(question: Question, k: int, allowed: NDArray[np.bool_]) -> bytes:
    """A question as it is sent."""
    columns = np.flatnonzero(question.places).astype(np.int32)
    return save(
        {
            "vector": question.vector,
            "columns": columns,
            "places": question.places[columns],
            "home": np.asarray(question.home, np.float32),
            "far": np.array([question.far], np.float64),
            "whole": np.array([len(question.places), HEARD.index(question.heard), k, len(allowed)], np.int32),
            "allowed": np.packbits(allowed),
        }
    )


def read_question(sent: bytes) -> tuple[Question, int, NDArray[np.bool_]]:
    """Question, k and (m,) which jobs are allowed; ValueError for bytes that are none."""
    try:
        found = load(sent)
        columns, heard, k, jobs = found["whole"].tolist()
        places = np.zeros(columns, np.float32)
        places[found["columns"]] = found["places"]
        nothing = np.zeros(2, np.float32)  # a shard knows the appeal of its jobs by `heard`
        question = Question(found["vector"], places, found["home"], float(found["far"][0]), nothing, HEARD[heard])
        return question, k, np.unpackbits(found["allowed"], count=jobs).astype(np.bool_)
    except (SafetensorError, KeyError, IndexError, TypeError) as error:
        raise ValueError(f"no question: {error}") from None


def answer_bytes(items: Nums, scores: Floats) -> bytes:
    """Row numbers and scores as they are sent."""
    return save({"items": items, "scores": scores})


def read_answer(sent: bytes) -> tuple[Nums, Floats]:
    """Row numbers and scores."""
    found = load(sent)
    return found["items"], found["scores"]
