"""Fresh answers from a trained bundle."""

from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Self

import numpy as np

from metier.bundle import load_profile, version
from metier.data import Floats, Nums
from metier.data.posting import Posting
from metier.features.distance import position
from metier.live.attributes import Mask
from metier.live.board import Board
from metier.live.case import Case
from metier.live.known import KnownPeople
from metier.live.matching import Encoded, Matcher
from metier.live.neutral import closed, neutral
from metier.live.order import crowd, merged, wished
from metier.live.pool import Pool
from metier.live.ranked import Candid, RankedPeople
from metier.live.reasons import Measure, Usual, raises, reasons
from metier.live.records import Answer, Asker, Filter, Order, Raise, Reasons, Suggestion
from metier.live.scan import Question
from metier.live.shards import Shards

SAMPLE = 512
"""Jobs of the bundle that say what is usual for a person: what their scores are set against before people are compared,
and how much a reason weighs."""

AT_ONCE = 100
"""Jobs whose reasons are measured together."""

FEW = 0.05
"""Share of the later jobs up to which it is cheaper to copy those that are asked for than to score them all."""


class LiveModel:
    """An immutable snapshot: a bundle, and the jobs that came, changed or went since it was trained.

    Safe to use from many threads; the scan of the catalogue runs without the GIL.
    """

    version: str
    """ "<bundle's folder>@<first 12 hex digits of the SHA-256 of its manifest.json>" """

    _matcher: Matcher
    _people: KnownPeople
    _ranked: RankedPeople | None
    _board: Board
    _later: Encoded
    """the postings that came later, gone or not"""
    _sample: Nums
    """row numbers, ascending"""

    @classmethod
    def load(cls, folder: Path, shards: Shards | None = None) -> Self:
        """A bundle of `profile` or `ranker`, whose jobs are searched here or by shards: the answers are the same.

        Raises
        ------
        ShardError : a shard does not answer; so may every method that ranks jobs.
        BundleError : the folder is no bundle, altered or incomplete.
        UsageError : another model.
        """
        part = load_profile(folder)
        self = cls()
        self.version = version(folder.name, part.digest)
        self._matcher, self._people = Matcher(part, shards), KnownPeople(part)
        self._ranked = RankedPeople(folder, part.digest) if part.name == "ranker" else None
        self._board = Board.of(part.job_table, part.profile.at_)
        self._later, size = self._matcher.encode([], []), self._matcher.jobs
        sample = np.random.default_rng(0).choice(size, min(SAMPLE, size), replace=False)
        self._sample = np.sort(sample).astype(np.int32)
        self.jobs(Asker(text="work"), Filter(), 1, now=0.0)  # reads word vectors and compiled loops
        return self

    def warm(self) -> None:
        """Read what only people with a history need; else the first of them waits for it."""
        if self._ranked is not None:
            self._ranked.warm()

    def with_jobs(self, posted: Sequence[Posting], withdrawn: Iterable[str] = ()) -> Self:
        """This and `posted` (a known id is replaced, of two equal ids the last counts) without `withdrawn`.

        Cumulative and cheap: only what is new or has other words or another place is encoded. In whatever portions jobs
        come and go, what is offered in the end is all that answers depend on. An id in both is withdrawn.
        """
        new = copy(self)
        added, amending, same = self._board.changes(posted)
        if amending:
            new._board = new._board.amend(amending)
        if added or amending:
            more = self._matcher.encode(added, [self._board.rows.get(one.id, -1) for one in added])
            new._board, stay = new._board.add(added, more.at)
            new._later = Encoded(*(np.concatenate(both)[stay] for both in zip(self._later, more, strict=True)))
        new._board = new._board.again(same).without(list(withdrawn))
        return new

    def posting(self, job: str) -> Posting | None:
        """A job that is not withdrawn, open or not."""
        row = self._board.row(job)
        return None if row is None or self._board.gone[row] else self._board.posting(row)

    @property
    def newest(self) -> float | None:
        """The newest application that the bundle learned from, in seconds since 1970 UTC; None without times."""
        return self._matcher.newest

    def posted_by(self, moment: float) -> float | None:
        """The newest start, in seconds since 1970 UTC and not after `moment`, of a job that `with_jobs` was told of and
        that is not withdrawn; None without any."""
        return self._board.posted_by(moment)

    def knows(self, person: str) -> bool:
        """Whether somebody is in the bundle; unlike `asker` it reads nothing."""
        return self._people.row(person) is not None

    def asker(self, person: str) -> Asker | None:
        """What the bundle knows of a person: text and place; their applications are added when they ask."""
        return self._people.asker(person)

    def jobs(
        self,
        asker: Asker,
        filter: Filter,
        k: int,
        *,
        now: float,
        order: Order = "likely",
        shown: Mapping[str, int] | None = None,
        cap: int | None = None,
    ) -> Answer:
        """The k best open jobs, none applied to, dismissed or withdrawn.

        Parameters
        ----------
        now : seconds since 1970 UTC.
        order : "closest" goes by what the profile gives for the person's words; past applications are left out of the
            answer and do not order it. Of somebody whose words say nothing to the profile the answer is "likely".
        shown, cap : how often each job was shown, and the most that costs it nothing; no cap when None.
        """
        board, case = self._board, self._case(asker)
        allowed = board.open(now)
        matching = board.matching(filter, lambda: position(self._matcher.placed(asker)))
        if matching is not None:
            allowed &= matching
        known = [job for job, _ in asker.applied] + list(asker.hidden)
        taken = [*case.past, *(row for job in known for row in board.rows_of(job))]
        allowed[board.twins(taken)] = False
        newest, own = board.newest(allowed), self._own([case])[0]
        order = order if own.any() else "likely"
        question = self._question(case, own, order)
        by = None if order == "closest" else case
        rows, scores = wished(
            lambda n: self._best(by, question, n, newest),
            k,
            asker.wishes,
            board.words,
            crowd(shown or {}, cap, board.key),
        )
        return Answer(
            self.version,
            tuple(
                Suggestion(board.key(row), score, tuple(map(board.key, board.behind(row, allowed))))
                for row, score in zip(rows.tolist(), scores.tolist(), strict=True)
            ),
            order,
        )

    def is_placed(self, asker: Asker) -> bool:
        """Whether where somebody is can count: the bundle's jobs or the gazetteer know the place that they name."""
        there = self._matcher.placed(asker)
        return bool(len(self._matcher.place_columns(there))) or bool(position(there).any())

    def pool(self, askers: Mapping[str, Asker]) -> Pool:
        """People by id, made ready to be compared for any posting by this bundle."""
        cases = [self._case(asker) for asker in askers.values()]
        questions = [self._question(case, own) for case, own in zip(cases, self._own(cases), strict=True)]
        return Pool.of(
            list(askers), questions, [one.hidden for one in askers.values()], self._matcher.encoded(self._sample)
        )

    def people(self, job: str, pool: Pool, k: int, *, now: float) -> list[tuple[str, float]]:
        """The k best of a pool for a posting, with their scores; UnknownIdError for a job not there.

        Nobody fits a job that is not open, and left out is who dismissed it or a repost of it; who applied stays. A
        score is the logarithm of how much likelier the person is to choose this job than one of a fixed sample of jobs,
        by the profile: people who like everything do not come first.
        """
        row = self._board.there(job)
        if not self._board.open(now)[row]:
            return []
        one_job = set(map(self._board.key, self._board.twins([row]).tolist()))
        scores = pool.scores(self._encoded([row]))[:, 0] - pool.usual
        order = np.argsort(-scores, kind="stable").tolist()
        return [
            (pool.ids[at], float(scores[at])) for at in islice((at for at in order if not pool.hidden[at] & one_job), k)
        ]

    def similar(self, job: str, k: int, *, now: float) -> list[tuple[str, float]]:
        """The k open jobs of most alike words, with cosines; UnknownIdError for a job not there."""
        row = self._board.there(job)
        allowed = self._board.open(now)
        allowed[self._board.twins([row])] = False
        question = self._matcher.alike(self._encoded([row]).vectors[0])
        rows, scores = self._by_profile(question, k, self._board.newest(allowed))
        return [(self._board.key(one), score) for one, score in zip(rows.tolist(), scores.tolist(), strict=True)]

    def reasons(
        self, asker: Asker, jobs: Sequence[str], *, by_profile: bool = False, order: Order = "likely"
    ) -> list[Reasons]:
        """Why each job fits, measured by deletion; UnknownIdError for a job not there.

        Parameters
        ----------
        by_profile : measured by what orders `people`, and not by what orders `jobs`.
        order : of the answer that the jobs stand in; measured is the score that orders it.
        """
        case, rows = self._case(asker), [self._board.there(job) for job in jobs]
        past = [self._board.posting(one) for one in case.past]
        by: dict[RankedPeople | None, list[int]] = {}
        by_profile |= order == "closest"
        for row in dict.fromkeys(rows):
            by.setdefault(None if by_profile else self._by_ranker(case, row), []).append(row)
        found: dict[int, Reasons] = {}
        for ranked, all_ in by.items():
            measure = self._measure(case, ranked, order)
            usual = Usual.of(case, measure, self._sample)
            size = ranked.each if ranked else AT_ONCE
            for some in (all_[start : start + size] for start in range(0, len(all_), size)):
                postings = {row: self._board.posting(row) for row in some}
                shares = self._shares(case, some, ranked, order)
                found |= reasons(case, postings, past, measure, usual, shares)
        return [found[row] for row in rows]

    def raises(self, asker: Asker, job: str) -> list[Raise]:
        """Missing skills by how much the score would rise with them, largest first; only rises > 0."""
        case, row = self._case(asker), self._board.there(job)
        return raises(case, self._board.posting(row), row, self._measure(case, self._by_ranker(case, row)))

    def _case(self, asker: Asker) -> Case:
        """Who asks, with what the bundle knows of them."""
        user = self._people.row(asker.person)
        past: dict[int, float] = {}
        if user is not None:
            items, times = self._people.applied(user)
            past = dict(zip(items.tolist(), times.tolist(), strict=True))
        for job, moment in asker.applied:
            row = self._board.rows.get(job, self._board.later.get(job))
            if row is not None:
                past[row] = moment
        rows = tuple(sorted(past))
        unknown = -1 if user is None else user
        return Case(asker, neutral(asker.text), rows, tuple(past[row] for row in rows), unknown, bool(rows))

    def _own(self, cases: Sequence[Case]) -> Floats:
        """(b, d + t) what people say."""
        return self._matcher.said([closed(case.text) for case in cases])

    def _question(self, case: Case, own: Floats | None = None, order: Order = "likely") -> Question:
        said = self._own([case])[0] if own is None else own
        if order == "closest":
            return self._matcher.closest(said)
        return self._matcher.ask(said, case.asker, self._encoded(case.past), case.times, heard=case.heard)

    def _encoded(self, rows: Sequence[int]) -> Encoded:
        """Jobs by row number, of the bundle and later ones, in this order."""
        numbers, size = np.array(rows, np.int32), self._matcher.jobs
        late = numbers >= size
        if not late.any():
            return self._matcher.encoded(numbers)
        parts = self._matcher.encoded(numbers[~late]), self._later.take(numbers[late] - size)
        back = np.argsort(np.argsort(late, kind="stable"), kind="stable").astype(np.int32)
        return Encoded(*(np.concatenate(both) for both in zip(*parts, strict=True))).take(back)

    def _best(self, case: Case | None, question: Question, n: int, allowed: Mask) -> tuple[Nums, Floats]:
        """Rows and scores of the n best jobs among those allowed; None: by the question alone."""
        size = self._matcher.jobs
        if case is None or self._ranked is None or not any(row < size for row in case.past):
            return self._by_profile(question, n, allowed)
        ranked = self._ranked.best(self._candid(case), n, allowed[:size])
        later = np.flatnonzero(allowed[size:]).astype(np.int32)
        if not len(later):
            return ranked
        scores = self._score_later(question, later)
        return merged(ranked, self._matcher.best(question, n, allowed[:size])[1], later + size, scores, n)

    def _by_profile(self, question: Question, n: int, allowed: Mask) -> tuple[Nums, Floats]:
        size = self._matcher.jobs
        rows, scores = self._matcher.best(question, n, allowed[:size])
        later = np.flatnonzero(allowed[size:]).astype(np.int32)
        if len(later):
            more = self._score_later(question, later)
            rows, scores = np.append(rows, later + size), np.append(scores, more)
            order = np.argsort(-scores, kind="stable")[:n]
            rows, scores = rows[order], scores[order]
        return rows, scores

    def _score_later(self, question: Question, rows: Nums) -> Floats:
        """(m,) scores by the profile of jobs that came later. Many are not copied together first: all are scored."""
        if len(rows) < FEW * len(self._later.at):
            return self._matcher.score(question, self._later.take(rows))
        return self._matcher.score(question, self._later)[rows]

    def _candid(self, case: Case) -> Candid:
        kept = [(row, moment) for row, moment in zip(case.past, case.times, strict=True) if row < self._matcher.jobs]
        items = np.array([row for row, _ in kept], np.int32)
        whole = case.user < 0 or np.isin(self._people.applied(case.user)[0], items).all()
        return Candid(
            case.user,
            self._matcher.placed(case.asker),
            closed(case.text),
            items,
            [moment for _, moment in kept],
            bool(whole),
        )

    def _by_ranker(self, case: Case, row: int) -> RankedPeople | None:
        """The ranker where it scores a job for a person: both have to be in what it learned from."""
        known = row < self._matcher.jobs and row not in case.past and any(one < self._matcher.jobs for one in case.past)
        return self._ranked if known else None

    def _measure(self, case: Case, ranked: RankedPeople | None, order: Order = "likely") -> Measure:
        """Scores of jobs for variants of a person, all by the same model: the ranker, or without one the profile (of
        the order "closest" the part of it that is of words)."""
        if ranked is not None:
            return lambda cases, rows: ranked.scores([self._candid(one) for one in cases], rows)

        def by_profile(cases: Sequence[Case], rows: Nums) -> Floats:
            jobs = self._encoded(rows.tolist())
            both = zip(cases, self._own(cases), strict=True)
            return np.stack([self._matcher.score(self._question(one, own, order), jobs) for one, own in both])

        return by_profile

    def _shares(
        self, case: Case, rows: Sequence[int], ranked: RankedPeople | None, order: Order
    ) -> dict[int, dict[str, float]]:
        """Row -> feature group -> its share in the score, which is the ranker's or without one the profile's."""
        if ranked is not None:
            return ranked.shares(self._candid(case), rows)
        alone, whole = (self._question(one, order=order) for one in (replace(case, past=(), times=()), case))
        return {row: self._matcher.shares(alone, whole, self._encoded([row])) for row in rows}
