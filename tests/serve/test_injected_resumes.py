"""Résumés that give orders: what nobody sees changes no score at all, and what is seen counts as words do."""

import asyncio
import random

import numpy as np
import pytest
from injections import HIDING, ORDERS, length, neutral, resume

TRADES, STATES = ("nurse", "welder", "teacher", "driver"), ("OH", "TX", "WA")
JOBS = 4
"""Postings, one of each trade, for which people are ranked."""
ALL = 200
BEYOND_THE_FONT = {"Chinese", "Japanese", "Korean", "Hindi"}


class Board:
    """People with résumés, uploaded and read as everybody's."""

    def __init__(self, client):
        self.client, self.people = client, 0

    async def upload(self, document, state):
        """Somebody of whom this document is all that is known; their id and the document's."""
        self.people += 1
        person = f"x{self.people}"
        await self._sent("PUT", f"/people/{person}", json={"state": state, "discoverable": True})
        answer = await self._sent("POST", f"/people/{person}/resumes", files={"file": document})
        return person, answer["id"]

    async def read(self, person, id):
        """The résumé once it was read."""
        for _ in range(3000):
            found = await self._sent("GET", f"/people/{person}/resumes/{id}")
            if found["state"] in ("done", "refused"):
                assert found["state"] == "done", found["reason"]
                return found
            await asyncio.sleep(0.1)
        raise AssertionError("not read in five minutes")

    async def uploaded(self, documents):
        """People of (document, state)s, and their résumés as they were read."""
        made = [await self.upload(*one) for one in documents]
        return {person: await self.read(person, id) for person, id in made}

    async def suggested(self, person):
        """job -> score, of all jobs."""
        answer = await self._sent("GET", f"/people/{person}/recommendations", params={"k": ALL})
        return {one["job"]: one["score"] for one in answer["items"]}

    async def ranked(self, job):
        """person -> score for a job, of all who may be found."""
        answer = await self._sent("GET", f"/jobs/{job}/candidates", params={"k": ALL})
        return {one["id"]: one["score"] for one in answer["items"]}

    async def postings(self):
        """A posting of each trade."""
        titles = {f"j{number}": (await self._sent("GET", f"/jobs/j{number}"))["title"] for number in range(30)}
        first = {title: job for job, title in reversed(titles.items())}
        assert len(first) == JOBS
        return sorted(first.values())

    async def hide(self, people):
        """Nobody finds them any more."""
        for person in people:
            await self._sent("PUT", f"/people/{person}", json={})

    async def _sent(self, method, path, **how):
        answer = await self.client.request(method, f"/api/v1{path}", **how)
        assert answer.is_success, answer.text
        return answer.json()


@pytest.fixture
def on_a_board(make_world, running):
    """Run `story(board)` at a service that lets many résumés wait."""

    def run(story):
        async def whole():
            async with make_world(parse_queue=1000) as world, world.client("full") as client:
                await story(Board(client))

        running(whole())

    return run


@pytest.mark.parametrize("orders", [1, pytest.param(len(ORDERS), marks=pytest.mark.slow)])
@pytest.mark.parametrize("kind", HIDING)
def test_what_nobody_sees_changes_no_score(on_a_board, kind, orders):
    """Each way to hide text in a document of this kind, with each order: all scores are those without it."""
    write, ways = HIDING[kind]
    text = resume("welder", "OH", random.Random(1))

    async def story(board):
        postings = await board.postings()
        ((plain, read),) = (await board.uploaded([(write(text), "OH")])).items()
        jobs, ranks = await board.suggested(plain), {job: (await board.ranked(job))[plain] for job in postings}
        for name, order in list(ORDERS.items())[:orders]:
            found = await board.uploaded([(write(text, order, how), "OH") for how in ways])
            people = {job: await board.ranked(job) for job in postings}
            for how, (person, document) in zip(ways, found.items(), strict=True):
                about = f"{name}, {how}: {document['text']!r}"
                assert document["text"].split() == read["text"].split(), about
                assert await board.suggested(person) == jobs, about
                assert {job: people[job][person] for job in postings} == ranks, about
            await board.hide(found)
        print(f"\n{kind}: {orders * len(ways)} documents, {len(jobs) + len(ranks)} scores each, no difference")

    on_a_board(story)


@pytest.mark.parametrize(
    ("orders", "others", "prose"), [(2, 8, 1), pytest.param(len(ORDERS), 24, 2, marks=pytest.mark.slow)]
)
def test_orders_that_are_seen_lift_nobody_by_half_a_rank_more_than_other_words(on_a_board, orders, others, prose):
    """The statistic: by how many ranks an order lifts somebody among the candidates for a posting, less what as many
    neutral words do; its mean over orders, people and postings, with a 95 % bootstrap interval over people."""
    chance = random.Random(2)
    kinds = list(HIDING)
    states = {}

    def document(number, text, kind):
        return HIDING[kind][0](text), states[number]

    async def story(board):
        postings = await board.postings()
        texts = []
        for number in range(others):
            trade, states[number] = TRADES[number % 4], STATES[number % 3]
            texts.append(resume(trade, states[number], chance))
        plain = list(await board.uploaded([document(at, text, "txt") for at, text in enumerate(texts)]))
        scores = {job: await board.ranked(job) for job in postings}
        lifts = {"order": np.zeros((orders, others, JOBS)), "prose": np.zeros((orders, others, JOBS))}
        for row, (name, order) in enumerate(list(ORDERS.items())[:orders]):
            possible = [kind for kind in kinds if kind != "pdf" or name not in BEYOND_THE_FONT]
            documents = [
                document(at, said(text, words), possible[(row + at) % len(possible)])
                for at, text in enumerate(texts)
                for words in (order, *(neutral(length(order), chance) for _ in range(prose)))
            ]
            found = await board.uploaded(documents)
            who = np.array(list(found)).reshape(others, 1 + prose)
            for column, job in enumerate(postings):
                now = await board.ranked(job)
                for at in range(others):
                    rises = [
                        rank(plain, scores[job], plain[at], None) - rank(plain, scores[job], plain[at], now[one])
                        for one in who[at]
                    ]
                    lifts["order"][row, at, column], lifts["prose"][row, at, column] = rises[0], np.mean(rises[1:])
            await board.hide(found)
        report(lifts, others)

    on_a_board(story)


def said(text, words):
    """A résumé with a paragraph behind its summary."""
    head, _, rest = text.partition("\n\n")
    return f"{head}\n{words}\n\n{rest}"


def rank(people, scores, person, score):
    """1 for the best: the rank of somebody among the others, with their own score or another."""
    mine = scores[person] if score is None else score
    return 1 + sum(scores[other] > mine for other in people if other != person)


def report(lifts, others):
    """Say what was found; an order may lift by less than half a rank more than prose does."""
    more = (lifts["order"] - lifts["prose"]).mean(axis=(0, 2))  # a person each
    drawn = np.random.default_rng(0).integers(0, others, (10_000, others))
    low, high = np.quantile(more[drawn].mean(axis=1), [0.025, 0.975])
    moved = {name: np.abs(one).mean() for name, one in lifts.items()}
    print(
        f"\nranks of {others}: orders lift by {lifts['order'].mean():+.3f}, prose by {lifts['prose'].mean():+.3f}, "
        f"difference {more.mean():+.3f} [{low:+.3f}, {high:+.3f}]; they move by {moved['order']:.3f} and "
        f"{moved['prose']:.3f}, the highest lift is {lifts['order'].max():.0f} and {lifts['prose'].max():.0f}"
    )
    assert high < 0.5
