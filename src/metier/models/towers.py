"""The two towers in torch, and how they are trained. `metier.models.two_tower` answers from what is learned here."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from metier.data import CSR, Dataset, Floats, Nums
from metier.errors import ConfigError
from metier.kernels.fm_data import Histories
from metier.models.factorization import FactorizationConfig, HistoryUse, NegativeSampler, closeness, in_order
from metier.models.processes import alike, gathered, parallel, part, share

WEIGHT_RATE = 100.0
"""Step of the few weights of blocks over that of the many entries of maps: a window of a thousand applications tells
the weights well and the maps hardly."""
TEXT_SCALE, VALUE_SCALE = 0.3, 0.05
"""Standard deviation of a learned column that starts from a text vector, and of the first vectors of job attributes."""


class Inputs(NamedTuple):
    """What a tower reads of n people or jobs."""

    texts: list[Floats]
    """(n, d) for each text encoder: rows of length 1, or of zeros for the silent"""
    codes: Floats
    """(n, c) codes of what people and jobs have in common, field after field"""
    attributes: CSR
    """(n, f)"""

    def take(self, rows: Nums) -> "Inputs":
        """Some rows."""
        return Inputs([text[rows] for text in self.texts], self.codes[rows], CSR(self.attributes[rows]))


class Plan(NamedTuple):
    """How the towers are trained; the settings of `TwoTowerConfig`."""

    size: int
    epochs: int
    batch: int
    learning_rate: float
    reg: float
    silence: float
    use: HistoryUse
    negatives: FactorizationConfig
    device: str


class Learned(NamedTuple):
    """What `train` found, as arrays; D columns in all blocks."""

    maps: list[Floats]
    """(d, d) of the person's side for each text encoder"""
    words: Floats
    """(sum of d, k) from the person's texts to the learned block"""
    attributes: Floats
    """(f, k) of the person's attributes"""
    weights: Floats
    """(3, D) on the person's own vector without a history, on the same beside a history, and on the history"""
    jobs: Floats
    """(I, D + 1) vectors of all jobs and their biases"""


class Towers(nn.Module):
    """Both towers, with the names of `TwoTower`'s equations. Maps start at the identity, learned blocks near zero."""

    def __init__(self, people: Inputs, jobs: Inputs, blocks: list[int], size: int, generator: torch.Generator) -> None:
        super().__init__()
        texts = [text.shape[1] for text in jobs.texts]

        def normal(rows: int, scale: float) -> nn.Parameter:
            return nn.Parameter(torch.randn(rows, size, generator=generator) * scale)

        self.person_maps = nn.ParameterList(torch.zeros(d, d) for d in texts)  # A - I
        self.job_maps = nn.ParameterList(torch.zeros(d, d) for d in texts)  # B - I
        self.person_words, self.job_words = (normal(sum(texts), TEXT_SCALE / max(sum(texts), 1) ** 0.5) for _ in "pj")
        # A value that no application shows stays at zero: it says nothing.
        self.person_attributes = nn.Parameter(torch.zeros(people.attributes.shape[1], size))
        self.job_attributes = normal(jobs.attributes.shape[1], VALUE_SCALE)
        self.job_bias = nn.Parameter(torch.zeros(jobs.attributes.shape[1]))
        self.weights = nn.Parameter(torch.tensor([2.0, 2.0, 1.0])[:, None].repeat(1, len(blocks)))  # (3, blocks)
        self.popularity = nn.Parameter(torch.tensor([1.0, 0.0]))  # e, ln a
        self.block = torch.repeat_interleave(torch.arange(len(blocks)), torch.tensor(blocks))  # (D,)

    def people(self, rows: Inputs) -> Tensor:
        """(n, D) p"""
        return self._tower(rows, self.person_maps, self.person_words, self.person_attributes)

    def jobs(self, rows: Inputs) -> tuple[Tensor, Tensor]:
        """(n, D) q and the (n,) biases without popularity"""
        vectors = self._tower(rows, self.job_maps, self.job_words, self.job_attributes)
        return vectors, self.sparse(rows.attributes) @ self.job_bias

    def crowd(self, applications: Tensor) -> Tensor:
        """e ln(n + a) of n applications, any shape"""
        return self.popularity[0] * torch.log(applications + torch.exp(self.popularity[1]))

    def spread(self) -> Tensor:
        """(3, D) the weight of each column. The learned block's own scale is in its vectors."""
        learned = torch.cat([torch.ones_like(self.weights[:2, -1:]), self.weights[2:, -1:]])
        return torch.cat([self.weights[:, :-1], learned], dim=1)[:, self.block]

    def dense(self, array: NDArray[np.float32]) -> Tensor:
        """The array on the device of the parameters."""
        return torch.from_numpy(np.ascontiguousarray(array)).to(self.weights.device)

    def sparse(self, matrix: CSR) -> Tensor:
        """The same of a CSR."""
        rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
        places = torch.from_numpy(np.stack([rows, matrix.indices]).astype(np.int64))
        values = torch.from_numpy(matrix.data.astype(np.float32, copy=False))
        return torch.sparse_coo_tensor(places, values, matrix.shape, check_invariants=False).to(self.weights.device)

    def _tower(self, rows: Inputs, maps: nn.ParameterList, words: Tensor, attributes: Tensor) -> Tensor:
        texts = [self.dense(text) for text in rows.texts]
        alike = [functional.normalize(x + x @ residue, eps=1e-6) for x, residue in zip(texts, maps, strict=True)]
        learned = self.sparse(rows.attributes) @ attributes + torch.cat(texts, dim=1) @ words  # (n, k)
        return torch.cat([*alike, self.dense(rows.codes), learned], dim=1)


def train(
    data: Dataset, people: Inputs, jobs: Inputs, blocks: list[int], plan: Plan, rng: np.random.Generator
) -> Learned:
    """Adam on the softmax over a pool of jobs, each corrected by its chance to be in the pool.

    Parameters
    ----------
    people, jobs : of all U people and I jobs of `data`.
    blocks : sizes of the blocks of the D columns, in order: texts, fields, learned.

    Raises
    ------
    ConfigError : the device is not there.
    """
    if plan.device == "cuda" and not torch.cuda.is_available():
        raise ConfigError("device 'cuda': torch finds no GPU that it can use; cure: set device to 'cpu'")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # sums then run in one order whatever the machine, so results repeat bit by bit
    try:
        people, jobs = (Inputs(alike(side.texts), side.codes, side.attributes) for side in (people, jobs))
        generator = torch.Generator().manual_seed(int(rng.integers(2**31)))
        towers = Towers(people, jobs, blocks, plan.size, generator).to(plan.device)
        _descend(towers, data, people, jobs, plan, rng)
        with torch.no_grad():
            return _learned(towers, data, jobs)
    finally:
        torch.set_num_threads(threads)


def _descend(towers: Towers, data: Dataset, people: Inputs, jobs: Inputs, plan: Plan, rng: np.random.Generator) -> None:
    histories = in_order(data)
    few = {"weights", "popularity"}
    groups = [
        {"params": [p for name, p in towers.named_parameters() if name not in few], "weight_decay": plan.reg},
        {"params": [towers.weights, towers.popularity], "lr": WEIGHT_RATE * plan.learning_rate},
    ]
    optimiser = torch.optim.Adam(groups, lr=plan.learning_rate)
    steps = plan.epochs * -(-len(histories.item) // plan.batch)
    slower = torch.optim.lr_scheduler.LinearLR(optimiser, 1.0, 0.05, total_iters=max(steps, 1))
    owner = owners(histories)

    def loss(batch: Batch, heard_at: NDArray[np.bool_]) -> Tensor:
        """Of this process's rows of the batch."""
        past = other_jobs(histories, batch.at, owner, heard_at, plan.use, len(data.items))
        needed = np.union1d(batch.shown, past.indices).astype(np.int32)
        mine = towers.jobs(jobs.take(needed[part(len(needed))]))
        vectors, bias = (gathered(one, len(needed)) for one in mine)  # (n, D), (n,)
        past, place = CSR(past[batch.mine][:, needed]), np.searchsorted(needed, batch.shown)
        alone, beside, history = towers.spread()
        heard = torch.from_numpy(np.diff(past.indptr) > 0).to(alone.device)[:, None]
        p = towers.people(people.take(batch.users[batch.mine])) * torch.where(heard, beside, alone)
        p = p + (towers.sparse(past) @ vectors) * history  # (b, n) @ (n, D)
        scores = p @ vectors[place].T + bias[place] + towers.crowd(towers.dense(batch.others))  # (b, m)
        barred = np.where(batch.barred, np.float32(-1e9), np.float32(0))
        scores = scores + towers.dense(barred - np.log(batch.chance))
        return batch.weight * functional.cross_entropy(scores, torch.from_numpy(batch.target).to(scores.device))

    shared_loss = parallel(towers, loss)
    for batch in batches(data, histories, plan.negatives, epochs=plan.epochs, size=plan.batch, rng=rng):
        heard_at = rng.random(len(batch.at)) >= plan.silence
        optimiser.zero_grad()
        shared_loss(batch, heard_at).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        slower.step()


def _learned(towers: Towers, data: Dataset, jobs: Inputs) -> Learned:
    vectors, bias = towers.jobs(jobs)
    counts = np.bincount(data.interactions.items, minlength=len(data.items)).astype(np.float32)
    bias = bias + towers.crowd(towers.dense(counts))
    maps = [residue + torch.eye(len(residue)).to(residue.device) for residue in towers.person_maps]
    rest = towers.person_words, towers.person_attributes, towers.spread(), torch.cat([vectors, bias[:, None]], dim=1)
    return Learned([_array(one) for one in maps], *(_array(one) for one in rest))


def _array(tensor: Tensor) -> Floats:
    return np.ascontiguousarray(tensor.detach().cpu().numpy())


class Pool:
    """The jobs that all people of a batch are ranked over: the batch's targets, jobs near them, jobs from anywhere.

    One pool makes the scores of a batch one matrix product. Jobs that are drawn often would be pushed down too often,
    so each score is lowered by the logarithm of the job's chance to be in the pool (Yi et al. 2019, section 3; the
    part from anywhere is that of Yang et al. 2020). The loss then estimates the softmax over the whole catalogue.
    """

    def __init__(self, data: Dataset, applications: Floats, config: FactorizationConfig) -> None:
        self.sampler = NegativeSampler(data, config)
        share = applications.astype(np.float64) / max(applications.sum(), 1)
        anywhere = float(config.negatives - sum(count for count, *_ in self.sampler.near))
        # The chance that one application of the batch misses a job: as its target, near it, anywhere.
        self.missed = 1 - share
        for count, group, _, start in self.sampler.near:
            known, size = group >= 0, np.maximum(np.diff(start), 1)
            mass = np.bincount(group[known], share[known], minlength=len(size))
            beside = (mass[group] - share) / np.maximum(1 - share, 1e-9)  # the target is another job of the place
            self.missed *= 1 - np.where(known, beside * (1 - (1 - 1 / size[group]) ** count), 0)
            anywhere += count * float(share[~known].sum())  # a target of unknown place has no neighbours
        self.missed *= (1 - 1 / max(len(share), 1)) ** anywhere

    def draw(self, targets: Nums, rng: np.random.Generator) -> tuple[Nums, Floats]:
        """(m,) job numbers, ascending, all targets among them, and each one's chance to be there."""
        shown = np.unique(np.concatenate([targets, self.sampler(targets, rng).ravel()])).astype(np.int32)
        return shown, (1 - self.missed[shown] ** len(targets)).astype(np.float32)


class Batch(NamedTuple):
    """B applications, of which b are this process's, and the m jobs that all their people are ranked over."""

    at: NDArray[np.int64]
    """(B,) places in the histories"""
    mine: slice
    """the b rows of this process; all B where it trains alone"""
    weight: float
    """of a mean over them (`metier.models.processes`)"""
    users: Nums
    """(B,)"""
    shown: Nums
    """(m,) jobs, ascending"""
    chance: Floats
    """(m,) of each to be there"""
    target: NDArray[np.int64]
    """(b,) the column of each application's job"""
    barred: NDArray[np.bool_]
    """(b, m) other jobs of the same person, which must not count against them"""
    others: Floats
    """(b, m) applications to each job, without the one that is learned: it is no evidence for itself"""


def batches(
    data: Dataset, histories: Histories, near: FactorizationConfig, *, epochs: int, size: int, rng: np.random.Generator
) -> Iterator[Batch]:
    """Every application once an epoch, in random order."""
    owner = owners(histories)
    applications = np.bincount(histories.item, minlength=len(data.items)).astype(np.float32)
    pool = Pool(data, applications, near)
    for _ in range(epochs):
        order = rng.permutation(len(owner))
        for at in (order[first : first + size] for first in range(0, len(order), size)):
            shown, chance = pool.draw(histories.item[at], rng)
            mine, weight = share(len(at))
            users, targets = owner[at], histories.item[at[mine]]
            row = np.arange(len(targets))
            target = np.searchsorted(shown, targets)
            barred = data.matrix[users[mine]][:, shown].toarray() > 0
            barred[row, target] = False
            others = np.tile(applications[shown], (len(targets), 1))
            others[row, target] -= 1
            yield Batch(at, mine, weight, users, shown, chance, target, barred, others)


def owners(histories: Histories) -> Nums:
    """(nnz,) the person of each application."""
    return np.repeat(np.arange(len(histories.start) - 1), np.diff(histories.start)).astype(np.int32)


def other_jobs(
    histories: Histories,
    at: NDArray[np.int64],
    owner: Nums,
    heard: NDArray[np.bool_],
    use: HistoryUse,
    n_items: int,
) -> CSR:
    """(B, I) CSR: for each application `at` the weights of its person's other jobs; no entry where not `heard`.

    `owner` (nnz,) is the person of each application of `histories`. The weights are those of `past_shares`, with the
    distance counted from the application.
    """
    sizes = np.diff(histories.start)[owner[at]] * heard
    rows = np.repeat(np.arange(len(at)), sizes)
    other = histories.start[owner[at]][rows] + np.arange(len(rows)) - (np.cumsum(sizes) - sizes)[rows]
    distance = np.abs(histories.place[other] - histories.place[at][rows])
    by_distance = np.append(closeness(use), np.float32(0))
    share = by_distance[np.minimum(distance, len(by_distance) - 1)] * (other != at[rows])
    mass = np.bincount(rows, share, minlength=len(at))
    share = share * np.maximum(mass, 1e-9)[rows] ** -use.power
    kept = share > 0
    return CSR((share[kept].astype(np.float32), (rows[kept], histories.item[other[kept]])), shape=(len(at), n_items))
