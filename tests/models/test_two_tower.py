"""The towers answer in NumPy what torch learned, and serve people and postings that nobody has seen."""

import sys
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from metier.bundle import load, save, state
from metier.data import CSR, Dataset, Features, Query, Tables
from metier.errors import ConfigError, MissingExtraError
from metier.features.assemble import assemble
from metier.models.base import recommend
from metier.models.factorization import FactorizationConfig, HistoryUse, in_order
from metier.models.two_tower import TwoTower, TwoTowerConfig, field_codes
from metier.testing.worlds import small_town

pytestmark = pytest.mark.usefixtures("torch")
USE = HistoryUse(decay=0.5, longest=3, power=0.5, silence=0.0)


def town(people: int = 300) -> Dataset:
    return assemble(small_town(people=people)).dataset


def keep(data: Dataset, kept: np.ndarray) -> Dataset:
    """Only some of the applications."""
    pairs = data.interactions
    some = type(pairs)(*(part[kept] for part in (pairs.users, pairs.items, pairs.weights, pairs.times)))
    return replace(data, interactions=some)


def fitted(data: Dataset, seed: int = 0, **settings) -> TwoTower:
    return TwoTower(TwoTowerConfig(**settings)).fit(data, rng=np.random.default_rng(seed))


def without_history(data: Dataset, users) -> Query:
    asked = data.query(np.asarray(users, np.int32))
    return Query(
        np.full(len(asked), -1, np.int32), CSR(asked.history.shape, dtype=np.float32), asked.features, asked.texts
    )


def coded_town(seed: int = 3) -> Tables:
    """People name their trade in one word and postings in another, so that texts are alike only once learned."""
    tables = small_town(seed, people=300)
    words = {"nurse": "quartz", "welder": "velvet", "teacher": "saffron", "driver": "mosaic"}
    job = pl.col("title").str.split(" ").list.first().str.to_lowercase().replace_strict(words, default=None)
    return tables.replace(
        jobs=tables.jobs.with_columns(title=job, text=pl.lit("wanted")),
        history=tables.history.clear(),
        people=tables.people.with_columns(text=pl.col("text").str.split(" ").list.last()),
    )


def test_answers_are_those_of_the_torch_towers(torch, monkeypatch):
    import metier.models.towers as module

    kept, learned = {}, module._learned

    def keep(towers, data, jobs):
        kept["towers"] = towers
        return learned(towers, data, jobs)

    monkeypatch.setattr(module, "_learned", keep)
    data = town()
    model = fitted(data, epochs=3)
    rows = np.arange(20, dtype=np.int32)
    texts = model._texts(data.user_texts)
    people = module.Inputs(texts, (data.user_features.matrix @ model.codes_).toarray(), data.user_features.matrix)
    with torch.no_grad():
        p = kept["towers"].people(people.take(rows)).numpy()
    alone, beside, history = model.weights_
    cold = model.query_vectors(without_history(data, rows))
    np.testing.assert_allclose(cold[:, :-1], p * alone, rtol=1e-4, atol=1e-5)
    busy = np.flatnonzero(np.diff(data.matrix.indptr) == 1)[:5].astype(np.int32)
    bag = data.matrix[busy] @ model.job_vectors_[:, :-1]
    with torch.no_grad():
        p = kept["towers"].people(people.take(busy)).numpy()
    np.testing.assert_allclose(
        model.query_vectors(data.query(busy))[:, :-1], p * beside + bag * history, rtol=1e-4, atol=1e-5
    )


def test_a_person_known_by_words_alone_is_served():
    data = town()
    model, rows = fitted(data), np.arange(0, 300, 5)
    asked = without_history(data, rows)
    best = recommend(model, Query(asked.users, asked.history, None, asked.texts), 5).items
    trades = [text.split()[3] for text in asked.texts]
    assert np.mean([trade in data.item_texts[j] for trade, row in zip(trades, best, strict=True) for j in row]) > 0.9


def test_maps_learn_which_words_go_together():
    """The word of a person never occurs in a posting: only applications can tell that the two belong together."""
    data = assemble(coded_town()).dataset
    pairs = {"nurse": "quartz", "welder": "velvet", "teacher": "saffron", "driver": "mosaic"}
    people = without_history(data, np.arange(0, 300, 5))
    asked = Query(people.users, people.history, None, people.texts)
    shares = {}
    for epochs in (1, 20):
        best = recommend(fitted(data, epochs=epochs, learning_rate=0.005 if epochs > 1 else 1e-9), asked, 5).items
        wanted = [pairs[text.strip()] for text in asked.texts]
        hits = [word in data.item_texts[j] for word, row in zip(wanted, best, strict=True) for j in row]
        shares[epochs] = np.mean(hits)
    assert shares[1] < 0.6
    assert shares[20] > 0.9


def test_a_posting_nobody_applied_to_is_found():
    """Only its words and its place can tell; among such postings the person's own trade comes first."""
    data = town()
    unseen = np.arange(0, len(data.items), 8, dtype=np.int32)
    data = keep(data, ~np.isin(data.interactions.items, unseen))
    busy = np.flatnonzero(np.diff(data.matrix.indptr) > 1).astype(np.int32)
    best = unseen[fitted(data).score(data.query(busy), unseen).argmax(axis=1)]
    hits = [data.user_texts[u].split()[3] in data.item_texts[j] for u, j in zip(busy, best, strict=True)]
    assert np.mean(hits) > 0.65  # of ten postings a quarter is of the trade, and one in three applies to other trades


def test_an_application_is_no_evidence_for_itself():
    """Each job has one application or none: the one that is being learned leaves none, so one is no better."""
    data = town()
    data = keep(data, np.unique(data.interactions.items, return_index=True)[1][::2])
    bias = fitted(data, learning_rate=0.003).job_vectors_[:, -1]
    applied = np.isin(np.arange(len(data.items)), data.interactions.items)
    assert bias[applied].mean() < bias[~applied].mean()


@pytest.mark.parametrize(("state", "city"), [(0.5, 0.0), (0.0, 0.5), (0.0, 0.0)])
def test_the_pool_knows_each_job_s_chance(state, city):
    from metier.models.towers import Pool

    data, rng = town(), np.random.default_rng(0)
    data = keep(data, rng.random(len(data.interactions)) < (data.interactions.items % 10) ** 3 / 1000)
    applications = np.bincount(data.interactions.items, minlength=len(data.items)).astype(np.float32)
    pool = Pool(data, applications, FactorizationConfig(negatives=2, same_state=state, same_city=city))
    found, chance = np.zeros(len(data.items)), np.zeros(len(data.items))
    for _ in range(2000):
        shown, chances = pool.draw(rng.choice(data.interactions.items, 6), rng)
        found[shown] += 1 / 2000
        chance[shown] = chances
    assert found.std() > 0.05  # jobs differ, so the chances are put to the test
    np.testing.assert_allclose(chance, found, atol=0.04)


def test_other_jobs_leave_out_the_application_itself():
    from metier.models.towers import other_jobs

    data = town()
    histories = in_order(data)
    owner = np.repeat(np.arange(len(data.users)), np.diff(histories.start)).astype(np.int32)
    at = np.arange(0, len(owner), 7)
    heard = at % 3 > 0
    found = other_jobs(histories, at, owner, heard, USE, len(data.items)).toarray()
    expected = np.zeros_like(found)
    for row, (a, listen) in enumerate(zip(at, heard, strict=True)):
        shares = {}
        for b in range(histories.start[owner[a]], histories.start[owner[a] + 1]):
            distance = abs(int(histories.place[b]) - int(histories.place[a]))
            if listen and b != a and distance <= USE.longest:
                shares[histories.item[b]] = np.exp(-USE.decay * (distance - 1))
        for item, share in shares.items():
            expected[row, item] = share / sum(shares.values()) ** USE.power
    np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.parametrize("size", [2, 8])
def test_equal_values_of_a_field_meet(size):
    names = ("state=OH", "state=TX", "state=WA", "city=A")
    jobs = Features(CSR(np.eye(4, dtype=np.float32)), names, np.array([0, 0, 0, 1], np.int16), ("state", "city"))
    asked = ("degree=MA", "state=WA", "state=NY")
    people = Features(CSR(np.eye(3, dtype=np.float32)), asked, np.array([0, 1, 1], np.int16), ("degree", "state"))
    mine, theirs, widths = field_codes(people, jobs, size, np.random.default_rng(0))
    assert widths == [min(size, 3)]  # city has one value, which tells nothing apart
    same = (mine @ theirs.T).toarray()
    np.testing.assert_allclose(same[1, 2], 1, rtol=1e-6)
    assert not same[[0, 2]].any()
    assert np.abs(same[1, :2]).max() < 1 if size == 2 else same[1].sum() == 1


def test_same_seed_same_bytes_with_any_number_of_threads(torch):
    data, found = town(120), []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        found.append(state(fitted(data, seed=5))[0])
        assert torch.get_num_threads() == threads
    for name, array in found[0].items():
        assert array.tobytes() == found[1][name].tobytes(), name
    other = fitted(data, seed=6).job_vectors_
    assert not np.array_equal(other, found[0]["job_vectors_"])


def test_a_bundle_answers_without_torch(tmp_path, monkeypatch):
    assembled = assemble(small_town())
    data = assembled.dataset
    model = fitted(data)
    save(tmp_path / "m", model, small_town(), assembled, {})
    for name in [name for name in sys.modules if name.split(".")[0] == "torch" or name == "metier.models.towers"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "torch", None)
    asked = data.query(np.arange(len(data.users), dtype=np.int32))
    np.testing.assert_array_equal(load(tmp_path / "m").model.score(asked), model.score(asked))
    with pytest.raises(MissingExtraError, match=r"pip install 'metier\[torch\]'"):
        fitted(data)


def test_a_missing_gpu_is_named(torch):
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    with pytest.raises(ConfigError, match="'cpu'"):
        fitted(town(120), device="cuda")
