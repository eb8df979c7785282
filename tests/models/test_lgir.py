"""LGIR's losses by hand, its game on known distributions, its answers without torch, and what completion is worth."""

import numpy as np
import polars as pl
import pytest

from metier.data import CSR, Dataset, Query
from metier.errors import ConfigError
from metier.features.assemble import assemble
from metier.models.base import recommend
from metier.models.lgir import LGIR, LGIRConfig
from metier.testing.alignment import alignment
from metier.testing.worlds import small_town

pytestmark = pytest.mark.usefixtures("torch")
QUICK = {"epochs": 5, "learning_rate": 0.003}


def fitted(data: Dataset, seed: int = 0, **settings) -> LGIR:
    return LGIR(LGIRConfig(**{**QUICK, **settings})).fit(data, rng=np.random.default_rng(seed))


def strangers(data: Dataset, rows) -> Query:
    """The same people, of whom nothing is known but what they say."""
    asked = data.query(np.asarray(rows, np.int32))
    return Query(np.full(len(asked), -1, np.int32), CSR(asked.history.shape, dtype=np.float32), None, asked.texts)


def test_losses_by_hand(torch):
    from metier.models import lgir_training as of

    logits = torch.tensor([0.0, np.log(3.0)])
    # -ln 1/2 for a strong person at even odds, -ln (1 - 3/4) for a weak one called strong with 3/4
    assert of.classifier_loss(logits, torch.tensor([1.0, 0.0])).item() == pytest.approx((np.log(2) + np.log(4)) / 2)
    # D says 3/4 of the true and 1/2 of the refined
    assert of.discriminator_loss(logits[1:], logits[:1]).item() == pytest.approx(-np.log(3 / 4) - np.log(1 / 2))
    assert of.generator_loss(logits).item() == pytest.approx(-(np.log(1 / 2) + np.log(3 / 4)) / 2)
    refined, whole = torch.tensor([[1.0, 2.0], [0.0, 0.0]]), torch.tensor([[1.0, 0.0], [3.0, 4.0]])
    assert of.reconstruction_loss(refined, whole).item() == pytest.approx((4 + 25) / 2)


def test_the_gradient_penalty_by_hand(torch):
    from metier.models.lgir_training import gradient_penalty

    x = torch.tensor([[1.0, 2.0], [0.0, 1.0]], requires_grad=True)
    logits = x[:, :1] * 3 + x[:, 1:] ** 2  # slopes (3, 4) and (3, 2)
    assert gradient_penalty(logits, x).item() == pytest.approx((25 + 13) / 2 / 2)


def test_ranking_losses_by_hand(torch):
    from metier.models.lgir_training import ranking_loss

    scores = torch.tensor([[1.0, 0.0, -torch.inf]])  # the third job is one of the person's own
    target, chance = torch.tensor([0]), torch.tensor([1.0, 0.5, 0.5])
    softmax = np.exp(1) / (np.exp(1) + np.exp(0) / 0.5)
    assert ranking_loss(scores, target, chance, "softmax").item() == pytest.approx(-np.log(softmax))
    assert ranking_loss(scores, target, chance, "bpr").item() == pytest.approx(-np.log(1 / (1 + np.exp(-1))))


def test_gradients_by_finite_difference(torch):
    from metier.models import lgir_training as of

    torch.manual_seed(0)
    generator, other = of.Generator(3, 4).double(), of.TwoLayers(3, 4, 1).double()
    torch.nn.init.normal_(generator.mlp.output.weight)
    head = of.Matching("head", [2, 1]).double()
    x, y = (torch.randn(n, 3, dtype=torch.double, requires_grad=True) for n in (4, 5))
    chance, target = torch.rand(5, dtype=torch.double) + 0.1, torch.tensor([0, 2, 4, 1])
    labels, whole = torch.tensor([0.0, 1.0, 1.0, 0.0], dtype=torch.double), torch.randn(4, 3, dtype=torch.double)

    def total(x, y):
        refined = generator(x)
        crowd = torch.arange(5, dtype=torch.double)
        scores = head.people(refined) @ head.jobs(y).T + head.alone(y, crowd)
        loss = of.ranking_loss(scores, target, chance, "softmax") + of.ranking_loss(scores, target, chance, "bpr")
        loss = loss + of.classifier_loss(other(x)[:, 0], labels) + of.generator_loss(other(refined))
        return loss + of.discriminator_loss(other(x), other(refined)) + of.reconstruction_loss(refined, whole)

    assert torch.autograd.gradcheck(total, (x, y))


def test_the_discriminator_reaches_its_optimum(torch):
    """Between N(1, 1) and N(-1, 1) the best D(x) is p / (p + q) = sigmoid(2 x) (Goodfellow et al. 2014, section 4)."""
    from metier.models.lgir_training import TwoLayers, discriminator_loss

    generator = torch.Generator().manual_seed(0)
    torch.manual_seed(0)
    discriminator = TwoLayers(1, 32, 1)
    optimiser = torch.optim.Adam(discriminator.parameters(), lr=0.01)
    for _ in range(600):
        true, refined = (torch.randn(512, 1, generator=generator) + mean for mean in (1.0, -1.0))
        optimiser.zero_grad()
        discriminator_loss(discriminator(true), discriminator(refined)).backward()
        optimiser.step()
    x = torch.linspace(-2, 2, 21)[:, None]
    np.testing.assert_allclose(torch.sigmoid(discriminator(x)).detach(), torch.sigmoid(2 * x), atol=0.05)


def test_the_generator_moves_thin_people_to_the_rich_without_collapse(torch):
    """Rich people have 8 numbers around (2, ..., 2); thin ones lack the last four, which are 0."""
    from metier.models import lgir_training as of

    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    rich = rng.normal(2, 0.5, (400, 8)).astype(np.float32)
    thin = rng.normal(2, 0.5, (400, 8)).astype(np.float32)
    thin[:, 4:] = 0
    generator, discriminator = of.Generator(8, 32), of.TwoLayers(8, 32, 1)
    both = [torch.optim.Adam(one.parameters(), lr=0.005) for one in (generator, discriminator)]
    high, low = torch.from_numpy(rich), torch.from_numpy(thin)
    for _ in range(1000):
        both[0].zero_grad()
        of.generator_loss(discriminator(generator(low))).backward()
        both[0].step()
        both[1].zero_grad()
        true, refined = discriminator(high.requires_grad_()), discriminator(generator(low).detach())
        (of.discriminator_loss(true, refined) + of.gradient_penalty(true, high)).backward()
        both[1].step()
    found = alignment(thin, generator(low).detach().numpy(), rich)
    assert found.before > 2
    assert found.after < 0.5
    assert 0.5 < found.spread < 2
    assert found.identity > 0.9


def test_alignment_by_hand():
    thin, rich = np.array([[0.0, 0.0], [2.0, 0.0]]), np.array([[9.0, 0.0], [11.0, 0.0]])
    still = alignment(thin, thin, rich)
    assert still == pytest.approx((9, 9, 1, 1))  # means 1 and 10, rich people 1 away from theirs
    collapsed = alignment(thin, np.array([[10.0, 0.0], [10.0, 0.0]]), rich)
    assert collapsed[1:] == pytest.approx((0, 0, 0.5))


@pytest.mark.parametrize("gate", ["classifier", "count", "none"])
@pytest.mark.parametrize("matching", ["head", "dot", "cosine"])
def test_answers_are_those_of_torch(torch, monkeypatch, gate, matching):
    from metier.models import lgir_training as of

    kept, answers = {}, of.answers

    def keep(model, *rest):
        kept["model"], kept["jobs"] = model, rest[0]
        return answers(model, *rest)

    monkeypatch.setattr(of, "answers", keep)
    data = assemble(small_town(people=150)).dataset
    model = fitted(data, gate=gate, matching=matching)
    theirs, rows = kept["model"], np.arange(len(data.users), dtype=np.int32)
    codes = CSR(data.user_features.matrix @ model.codes_)
    inputs = of.Inputs(model._shared(data.user_texts, codes), data.user_features.matrix)
    asked = kept["jobs"]
    crowd = torch.from_numpy(np.bincount(data.interactions.items, minlength=len(data.items)).astype(np.float32))
    few = np.diff(data.matrix.indptr) <= model.few_
    with torch.no_grad():
        x = theirs.represent(inputs, rows, torch.ones(len(rows)))
        low = of.is_low(theirs, x, few, model.config)
        x = torch.where(low[:, None], theirs.generator(x), x)
        y = theirs.job(asked, theirs.job_ids(np.arange(len(data.items))))
        scores = theirs.matching.people(x) @ theirs.matching.jobs(y).T + theirs.matching.alone(y, crowd)
    np.testing.assert_allclose(model.score(data.query(rows)), scores.numpy(), rtol=1e-4, atol=1e-4)
    assert low.any()
    assert gate != "count" or not low.all()


def test_the_penalty_flattens_the_discriminator_in_training(torch, monkeypatch):
    from metier.models import lgir_training as of

    kept, answers = [], of.answers
    monkeypatch.setattr(of, "answers", lambda model, *rest: kept.append(model) or answers(model, *rest))
    data = assemble(small_town(people=150)).dataset
    slopes = []
    for penalty in (0.0, 100.0):
        model = fitted(data, gradient_penalty=penalty)
        many = np.flatnonzero(np.diff(data.matrix.indptr) > model.few_).astype(np.int32)
        x = torch.from_numpy(model.represent(data.query(many), refine=False)).requires_grad_()
        slopes.append(torch.autograd.grad(kept[-1].discriminator(x).sum(), x)[0].norm(dim=1).mean().item())
    assert slopes[1] < slopes[0] / 2


def test_who_is_refined():
    data = assemble(small_town(people=150)).dataset
    rows = np.arange(len(data.users), dtype=np.int32)
    counts = np.diff(data.matrix.indptr)
    model = fitted(data, gate="count")
    query = data.query(rows)
    moved = np.abs(model.represent(query) - model.represent(query, refine=False)).max(axis=1) > 1e-6
    np.testing.assert_array_equal(moved, counts <= model.few_)
    as_they_are = fitted(data, generator="identity")
    as_they_are.classifier_.keep(*(one + np.nan for one in (model.classifier_.hidden_, model.classifier_.output_)))
    assert np.isfinite(as_they_are.represent(data.query(rows))).all()  # nobody is asked


def test_the_classifier_tells_people_it_has_not_seen():
    """Those who say "busy" apply often. Half of them have no id to the model: only the word tells."""
    tables = small_town(people=300)
    counts = dict(tables.interactions.group_by("person").len().iter_rows())
    many = [counts.get(person, 0) >= 3 for person in tables.people["id"]]
    people = tables.people.with_columns(text=pl.Series(["busy eager tireless" if one else "calm" for one in many]))
    data = assemble(tables.replace(people=people, history=tables.history.clear())).dataset
    model = fitted(data, classifier_weight=1.0, epochs=30, attributes=False, ids=False)
    told = Query(np.full(2, -1, np.int32), CSR((2, len(data.items)), dtype=np.float32), None, ["busy tireless", "calm"])
    busy, calm = model.classifier_(model.represent(told, refine=False))[:, 0]
    assert busy > 0 > calm


def test_people_with_equal_counts_leave_nothing_to_align():
    tables = small_town(people=150)
    firsts = tables.interactions.unique("person", keep="first", maintain_order=True)
    some = tables.replace(interactions=firsts).keep(people=firsts["person"], jobs=tables.jobs["id"])
    some = assemble(some).dataset
    model, query = fitted(some), some.query(np.arange(9, dtype=np.int32))
    assert np.isfinite(model.score(query)).all()
    np.testing.assert_array_equal(model.represent(query), model.represent(query, refine=False))


def test_of_an_id_without_an_application_nothing_is_known():
    """A known person who never applied is served as a stranger who says the same."""
    data = assemble(small_town(people=150)).dataset
    silent = np.flatnonzero(np.diff(data.matrix.indptr) == 0)[:5].astype(np.int32)
    model = fitted(data)
    assert not model.ids_[silent].any()
    known = data.query(silent)
    stranger = Query(np.full(5, -1, np.int32), known.history, known.features, known.texts)
    np.testing.assert_array_equal(model.score(known), model.score(stranger))


TRADES = ("nurse", "welder", "teacher", "driver")


def silent_town(said: str) -> Dataset:
    """People of four trades, whose own text is empty; `said` is what a completion knows: trade, or another's trade."""
    tables = small_town(3, people=300)
    trade = pl.col("text").str.split(" ").list.last()
    texts = {
        "nothing": pl.lit(""),
        "trade": pl.concat_str(pl.lit("work of a "), trade),
        "another": pl.concat_str(pl.lit("work of a "), trade.shuffle(seed=1)),
    }
    people = tables.people.with_columns(text=texts[said]).drop("city", "state", "country", "zip")
    return assemble(tables.replace(people=people, history=tables.history.clear())).dataset


def test_completion_helps_where_it_must_and_not_where_it_cannot():
    """A text that says the trade finds jobs of the trade for people without a past; anybody's text does not."""
    truth = [text.split()[-1] for text in silent_town("trade").user_texts]
    rows, right = np.arange(0, 300, 5), {}
    for said in ("nothing", "trade", "another"):
        data = silent_town(said)
        best = recommend(fitted(data), strangers(data, rows), 5).items
        hits = [truth[row] in data.item_texts[j].lower() for row, jobs in zip(rows, best, strict=True) for j in jobs]
        right[said] = np.mean(hits)
    assert right["trade"] > 0.9
    assert right["another"] < 0.45
    assert right["nothing"] < 0.45


def test_a_gpu_that_is_not_there(torch):
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    with pytest.raises(ConfigError, match="cpu"):
        fitted(assemble(small_town(people=60)).dataset, device="cuda")
