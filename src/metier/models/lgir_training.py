"""LGIR in torch: modules, losses and training. `metier.models.lgir` answers from what is learned here."""

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from metier.data import CSR, Dataset, Floats, Nums
from metier.errors import ConfigError
from metier.models.factorization import FactorizationConfig, in_order
from metier.models.processes import alike, common, gathered, parallel, part, share
from metier.models.shots import STRONG, WEAK, Labels
from metier.models.towers import Batch, batches

if TYPE_CHECKING:
    from metier.models.lgir import LGIRConfig

GAIN_RATE = 100.0
"""Step of the few gains over that of the other parameters: some thousand applications tell them well."""
VALUE_SCALE = 0.05
"""Standard deviation of the first vectors of ids and attributes."""
QUALITY_BATCH = 128
"""Few-shot people, and as many many-shot ones, of each step of the classifier and the generative pair."""


class Inputs(NamedTuple):
    """What is read of n people or jobs."""

    shared: Floats
    """(n, s) what both sides have in common: the vector of the text, and the codes of equal fields"""
    attributes: CSR
    """(n, f) all fields"""


class TwoLayers(nn.Module):
    """W2 ReLU(W1 x + b1) + b2; with `silent`, W2 and b2 start at 0."""

    def __init__(self, inputs: int, hidden: int, outputs: int, *, silent: bool = False) -> None:
        super().__init__()
        self.hidden, self.output = nn.Linear(inputs, hidden), nn.Linear(hidden, outputs)
        if silent:
            nn.init.zeros_(self.output.weight)
            nn.init.zeros_(self.output.bias)

    def forward(self, x: Tensor) -> Tensor:
        """(n, m) of (n, d)"""
        found: Tensor = self.output(torch.relu(self.hidden(x)))
        return found

    def arrays(self) -> list[Floats]:
        """(inputs + 1, hidden) and (hidden + 1, outputs): transposed weights over biases."""
        return [array(torch.cat([layer.weight.T, layer.bias[None]])) for layer in (self.hidden, self.output)]


class Side(nn.Module):
    """x = u + MLP(u), u = [shared; F f + e]: what is shared meets from the start, the rest is learned."""

    def __init__(self, shared: int, features: int, size: int, hidden: int, scale: float) -> None:
        super().__init__()
        self.values = nn.Parameter(torch.randn(features, size) * scale)  # F
        self.mlp = TwoLayers(shared + size, hidden, shared + size, silent=True)

    def forward(self, rows: Inputs, ids: Tensor) -> Tensor:
        """(n, s + k) x of n rows and their (n, k) id vectors e."""
        learned = self.bag(rows.attributes) + ids  # (n, k)
        u = torch.cat([torch.from_numpy(rows.shared).to(ids.device), learned], dim=1)
        x: Tensor = u + self.mlp(u)
        return x

    def bag(self, attributes: CSR) -> Tensor:
        """(n, k) F f"""
        device = self.values.device
        columns, starts = (torch.from_numpy(a.astype(np.int64)) for a in (attributes.indices, attributes.indptr[:-1]))
        weights = torch.from_numpy(attributes.data.astype(np.float32))
        return functional.embedding_bag(
            columns.to(device), self.values, starts.to(device), mode="sum", per_sample_weights=weights.to(device)
        )


class Generator(nn.Module):
    """The generator moves a representation: x + MLP(x), nothing at first."""

    def __init__(self, size: int, hidden: int) -> None:
        super().__init__()
        self.mlp = TwoLayers(size, hidden, size, silent=True)

    def forward(self, x: Tensor) -> Tensor:
        """(n, D) refined"""
        refined: Tensor = x + self.mlp(x)
        return refined


class Matching(nn.Module):
    """Scores of people and jobs. The linear head on [x + y; x - y; x * y] is w . (x * y) + v . y and a number of the
    person's own, which ranks nothing; w is a gain for each block of columns times a weight for each."""

    def __init__(self, method: Literal["head", "dot", "cosine"], blocks: list[int]) -> None:
        super().__init__()
        self.method = method
        self.block = torch.repeat_interleave(torch.arange(len(blocks)), torch.tensor(blocks))  # (D,)
        self.gains = nn.Parameter(torch.ones(len(blocks) if method == "head" else 1))
        if method == "head":
            self.gains.data[:-1] = 2.0
        self.weights = nn.Parameter(torch.ones(len(self.block)), requires_grad=method == "head")
        self.bias = nn.Parameter(torch.zeros(len(self.block)), requires_grad=method == "head")
        self.popularity = nn.Parameter(torch.tensor([1.0, 0.0]), requires_grad=method == "head")  # e, ln a

    def people(self, x: Tensor) -> Tensor:
        """(n, D) the side that an inner product with `jobs` wants."""
        return (functional.normalize(x, eps=1e-6) if self.method == "cosine" else x) * self.factors()

    def factors(self) -> Tensor:
        """(D,) what the columns of a person are multiplied by"""
        return self.gains[self.block.to(self.gains.device) if self.method == "head" else 0] * self.weights

    def jobs(self, y: Tensor) -> Tensor:
        """(m, D)"""
        return functional.normalize(y, eps=1e-6) if self.method == "cosine" else y

    def alone(self, y: Tensor, applications: Tensor) -> Tensor:
        """(m,) v . y + e ln(n + a) of jobs with n applications each, (m,) or (B, m) where people see other counts"""
        crowd = self.popularity[0] * torch.log(applications + torch.exp(self.popularity[1]))
        return y @ self.bias + (crowd if self.method == "head" else 0)


class Ids(nn.Module):
    """A learned vector for each of n ids; those without an application are 0: nothing is known of them."""

    def __init__(self, applications: NDArray[Any], size: int, *, learned: bool) -> None:
        super().__init__()
        self.vectors = nn.Parameter(torch.randn(len(applications), size) * VALUE_SCALE, requires_grad=learned)
        self.known: Tensor
        self.register_buffer("known", torch.from_numpy((applications > 0) * np.float32(learned))[:, None])

    def forward(self, numbers: Nums, mine: slice = slice(None)) -> Tensor:
        """(m, size) of those of `numbers` that are this process's; all processes ask for the same numbers"""
        at = torch.from_numpy(numbers.astype(np.int64)).to(self.vectors.device)
        return common(self.vectors[at])[mine] * self.known[at[mine]]

    def everybody(self) -> Tensor:
        """(n, size)"""
        return self.vectors * self.known


class LGIR(nn.Module):
    """All parts."""

    def __init__(
        self,
        people: Inputs,
        jobs: Inputs,
        blocks: list[int],
        counts: NDArray[np.int64],
        crowd: Floats,
        config: "LGIRConfig",
    ):
        super().__init__()
        shared, size = people.shared.shape[1], sum(blocks)
        self.person = Side(shared, people.attributes.shape[1], config.embedding_size, config.hidden_size, 0.0)
        self.job = Side(shared, jobs.attributes.shape[1], config.embedding_size, config.hidden_size, VALUE_SCALE)
        self.people_ids = Ids(counts, config.embedding_size, learned=config.ids)
        self.job_ids = Ids(crowd, config.embedding_size, learned=config.ids)
        self.classifier = TwoLayers(size, config.hidden_size, 1)
        self.generator = Generator(size, config.hidden_size)
        self.discriminator = TwoLayers(size, config.hidden_size, 1)
        self.matching = Matching(config.matching, blocks)

    def represent(self, rows: Inputs, numbers: Nums, heard: Tensor, mine: slice = slice(None)) -> Tensor:
        """(n, D) x of the people `numbers[mine]`, whose ids are left out where `heard` (n,) is False."""
        x: Tensor = self.person(rows, self.people_ids(numbers, mine) * heard[:, None])
        return x


def classifier_loss(logits: Tensor, strong: Tensor) -> Tensor:
    """L_C: the cross-entropy of the quality labels, mean over people."""
    return functional.binary_cross_entropy_with_logits(logits, strong)


def discriminator_loss(true: Tensor, refined: Tensor) -> Tensor:
    """L_D = -mean log D(x_high) - mean log(1 - D(G(x_low))), from logits."""
    return functional.softplus(-true).mean() + functional.softplus(refined).mean()


def gradient_penalty(true: Tensor, x: Tensor) -> Tensor:
    """Mean of |grad D(x)|^2 / 2 over true many-shot people (n, D) with logits `true`: without it the game of the two
    circles and does not settle (Mescheder et al. 2018, equation 9)."""
    (slope,) = torch.autograd.grad(true.sum(), x, create_graph=True)
    return (slope**2).sum(dim=1).mean() / 2


def generator_loss(refined: Tensor) -> Tensor:
    """L_G = -mean log D(G(x_low)), from logits (the non-saturating form of Goodfellow et al. 2014)."""
    return functional.softplus(-refined).mean()


def reconstruction_loss(refined: Tensor, whole: Tensor) -> Tensor:
    """Mean squared distance of what the generator makes of people without their ids to what they are with them."""
    return ((refined - whole.detach()) ** 2).sum(dim=1).mean()


def ranking_loss(scores: Tensor, target: Tensor, chance: Tensor, loss: Literal["softmax", "bpr"]) -> Tensor:
    """Of (B, m) scores, -inf where a job must not count against the person, with the target in column `target` (B,).

    Each job of the pool weighs the inverse of its (m,) chance to be there, so that both forms estimate the loss over
    the whole catalogue: softmax its cross-entropy, bpr the mean of -ln sigmoid(target - other) (Rendle et al. 2009).
    """
    if loss == "softmax":
        return functional.cross_entropy(scores - torch.log(chance), target)
    weights = (scores > -torch.inf) / chance  # (B, m)
    weights = weights.scatter(1, target[:, None], 0.0)
    behind = torch.where(scores > -torch.inf, scores, 0.0) - scores.gather(1, target[:, None])
    return ((functional.softplus(behind) * weights).sum(1) / weights.sum(1).clamp(min=1e-9)).mean()


def train(
    data: Dataset,
    people: Inputs,
    jobs: Inputs,
    blocks: list[int],
    counts: NDArray[np.int64],
    crowd: Floats,
    labels: Labels,
    few: int,
    config: "LGIRConfig",
    near: FactorizationConfig,
    seed: int,
) -> LGIR:
    """Adam on L_rec + a L_C + b L_G (+ c reconstruction), each step followed by one of the discriminator on L_D.

    Parameters
    ----------
    people, jobs : of all U people and I jobs of `data`.
    blocks : sizes of the blocks of the D columns: text, fields, learned.
    counts : (U,) and crowd : (I,) applications of each person and to each job.
    labels : (U,) WEAK, STRONG or UNLABELLED. few : most applications of a few-shot person.

    Raises
    ------
    ConfigError : the device is not there.
    """
    if config.device == "cuda" and not torch.cuda.is_available():
        raise ConfigError("device 'cuda': torch finds no GPU that it can use; cure: set device to 'cpu'")
    threads, state = torch.get_num_threads(), torch.get_rng_state()
    torch.set_num_threads(1)  # sums then run in one order whatever the machine, so results repeat bit by bit
    try:
        torch.manual_seed(seed)
        people, jobs = (Inputs(alike([side.shared])[0], side.attributes) for side in (people, jobs))
        model = LGIR(people, jobs, blocks, counts, crowd, config).to(config.device)
        _descend(model, data, people, jobs, counts <= few, labels, config, near, np.random.default_rng([seed, 1]))
        return model.eval()
    finally:
        torch.set_num_threads(threads)
        torch.set_rng_state(state)


def _descend(
    model: LGIR,
    data: Dataset,
    people: Inputs,
    jobs: Inputs,
    few_shot: NDArray[np.bool_],
    labels: Labels,
    config: "LGIRConfig",
    near: FactorizationConfig,
    rng: np.random.Generator,
) -> None:
    histories = in_order(data)
    weak, strong = (np.flatnonzero(labels == one).astype(np.int32) for one in (WEAK, STRONG))
    refining = refines(config, labels)
    discriminating = list(model.discriminator.parameters())
    gains = [model.matching.gains, model.matching.popularity]
    weights = [model.matching.weights, model.matching.bias]
    apart = {id(one) for one in discriminating + gains + weights}
    rest = [one for one in model.parameters() if id(one) not in apart]
    groups: list[dict[str, Any]] = [
        {"params": rest, "weight_decay": config.reg},
        {"params": weights},
        {"params": gains, "lr": GAIN_RATE * config.learning_rate},
    ]
    optimiser = torch.optim.Adam(groups, lr=config.learning_rate)
    adversary = torch.optim.Adam(discriminating, lr=config.learning_rate)
    steps = config.epochs * -(-len(histories.item) // config.batch)
    slower = torch.optim.lr_scheduler.LinearLR(optimiser, 1.0, 0.05, total_iters=max(steps, 1))

    def loss(batch: Batch, heard: NDArray[np.bool_], drawn: tuple[Nums, Nums] | None) -> Tensor:
        """Of this process's rows of the batch, and of its share of the people drawn."""
        mine = batch.users[batch.mine]
        x = model.represent(take(people, mine), batch.users, on(heard, config.device), batch.mine)
        if refining:
            low = is_low(model, x, few_shot[mine] | ~heard, config)
            x = torch.where(low[:, None], model.generator(x), x)
        pool = part(len(batch.shown))
        y = model.job(take(jobs, batch.shown[pool]), model.job_ids(batch.shown, pool))
        y = gathered(y, len(batch.shown))  # (m, D)
        alone = model.matching.alone(y, on(batch.others, config.device))
        scores = model.matching.people(x) @ model.matching.jobs(y).T + alone  # (b, m)
        scores = scores.masked_fill(on(batch.barred, config.device), -torch.inf)
        target, chance = on(batch.target, config.device), on(batch.chance, config.device)
        found = batch.weight * ranking_loss(scores, target, chance, config.loss)
        return found if drawn is None else found + _quality(model, people, *drawn, config)

    def game(low: Tensor, high: Tensor) -> Tensor:
        """The discriminator's, of few-shot and many-shot people as they are."""
        true = model.discriminator(high.requires_grad_())
        refined = model.discriminator(model.generator(low).detach())
        return discriminator_loss(true, refined) + config.gradient_penalty * gradient_penalty(true, high)

    idle = () if refining else (model.classifier, model.generator)
    shared_loss = parallel(model, loss, without=(model.discriminator, model.people_ids, model.job_ids, *idle))
    shared_game = parallel(model.discriminator, game)
    for batch in batches(data, histories, near, epochs=config.epochs, size=config.batch, rng=rng):
        heard = (rng.random(len(batch.at)) >= config.silence)[batch.mine]
        drawn = _people(weak, strong, rng) if refining else None
        optimiser.zero_grad()
        shared_loss(batch, heard, drawn).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        slower.step()
        if drawn is not None:
            mine, weight = share(len(drawn[0]))
            low, high = (_as_they_are(model, people, some, config, mine).detach() for some in drawn)
            adversary.zero_grad()
            (weight * shared_game(low, high)).backward()  # type: ignore[no-untyped-call]
            adversary.step()


def _quality(model: LGIR, people: Inputs, weak: Nums, strong: Nums, config: "LGIRConfig") -> Tensor:
    """The terms that make the classifier, and the generator for the discriminator as it is; of this process's share of
    as many people of both kinds."""
    mine, weight = share(len(weak))
    low, high = (_as_they_are(model, people, some, config, mine) for some in (weak, strong))
    logits = model.classifier(torch.cat([low, high]))[:, 0]
    is_strong = torch.cat([torch.zeros(len(low)), torch.ones(len(high))]).to(logits.device)
    loss = config.classifier_weight * classifier_loss(logits, is_strong)
    loss = loss + config.generator_weight * generator_loss(model.discriminator(model.generator(low)))
    if config.reconstruction:
        nobody = torch.zeros(len(high), device=logits.device)
        without = model.represent(take(people, strong[mine]), strong, nobody, mine)
        loss = loss + config.reconstruction * reconstruction_loss(model.generator(without), high)
    return weight * loss


def is_low(model: LGIR, x: Tensor, few_shot: NDArray[np.bool_], config: "LGIRConfig") -> Tensor:
    """(n,) bool, whom the gate sends to the generator; `few_shot` (n,) as counted, or without their id."""
    if config.gate == "classifier":
        low: Tensor = model.classifier(x.detach())[:, 0] < 0
        return low
    return on(few_shot if config.gate == "count" else np.ones_like(few_shot), config.device)


def refines(config: "LGIRConfig", labels: Labels) -> bool:
    """Whether there is a generator, and people of both kinds for it to learn from."""
    return config.generator == "adversarial" and {WEAK, STRONG} <= set(labels.tolist())


def _people(weak: Nums, strong: Nums, rng: np.random.Generator) -> tuple[Nums, Nums]:
    """As many of each, drawn."""
    size = min(len(weak), len(strong), QUALITY_BATCH)
    return rng.choice(weak, size, replace=False), rng.choice(strong, size, replace=False)


def _as_they_are(model: LGIR, people: Inputs, numbers: Nums, config: "LGIRConfig", mine: slice) -> Tensor:
    rows = take(people, numbers[mine])
    return model.represent(rows, numbers, torch.ones(len(rows.shared), device=config.device), mine)


def take(rows: Inputs, numbers: Nums) -> Inputs:
    """Some rows."""
    return Inputs(rows.shared[numbers], CSR(rows.attributes[numbers]))


def on(array: NDArray[Any], device: str) -> Tensor:
    """The same on the device."""
    return torch.from_numpy(array).to(device)


def answers(model: LGIR, jobs: Inputs, applications: Floats) -> tuple[Floats, Floats]:
    """(D,) what a person's columns are multiplied by, and (I, D + 1) vectors of all jobs with their own part."""
    with torch.no_grad():
        y = model.job(jobs, model.job_ids.everybody())
        alone = model.matching.alone(y, torch.from_numpy(applications).to(y.device))
        vectors = torch.cat([model.matching.jobs(y), alone[:, None]], dim=1)
        return array(model.matching.factors()), array(vectors)


def array(tensor: Tensor) -> Floats:
    """float32, contiguous."""
    return np.ascontiguousarray(tensor.detach().cpu().numpy(), np.float32)
