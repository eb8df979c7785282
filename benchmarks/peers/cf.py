"""One collaborative filter, fitted and asked: cf.py runs this file in the peer's own environment.

    python benchmarks/peers/cf.py PEER TRAIN.npz USERS.npy ITEMS.npy

Fits on TRAIN, a (U, I) CSR of ones, writes the 25 best unseen items of USERS to ITEMS and prints the seconds as JSON.
A function here takes the training matrix and returns `recommend(users) -> (n, 25)` row numbers, -1 where there is
none. What can only answer person by person stops after a minute: n is then smaller than the number asked.
"""

import json
import resource
import sys
import time
from collections.abc import Callable, Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

K = 25
MINUTE = 60.0
WARM_UP = 1000
"""People on whom everything is done once before, untimed: nobody's compiler is on the clock."""

Array = Any
Recommend = Callable[[Array], Array]


def main(peer: str, train_file: str, users_file: str, items_file: str) -> None:
    train, users = sparse.csr_matrix(sparse.load_npz(train_file)), np.load(users_file)
    package, fit = PEERS[peer]
    first = train[:WARM_UP]
    fit(first[:, np.unique(first.indices)])(np.arange(min(K, first.shape[0])))
    cpu, start = _cpu(), time.perf_counter()
    recommend = fit(train)
    fitted = time.perf_counter()
    items = recommend(users)
    done = time.perf_counter()
    np.save(items_file, np.asarray(items, np.int32))
    figures = {"fit": fitted - start, "recommend": done - fitted, "cpu": _cpu() - cpu, "judged": len(items)}
    print(json.dumps(figures | {"version": version(package), "peak_mb": _peak_mb()}))


def metier(name: str, **settings: Any) -> Callable[[Array], Recommend]:
    def fit(train: Array) -> Recommend:
        from metier.data import Dataset, Features, Interactions, Vocabulary
        from metier.models.base import recommend
        from metier.models.registry import create

        people, jobs = train.shape
        rows = np.repeat(np.arange(people, dtype=np.int32), np.diff(train.indptr))
        data = Dataset(
            Vocabulary("person", [f"p{u}" for u in range(people)]),
            Vocabulary("job", [f"j{j}" for j in range(jobs)]),
            Interactions(rows, train.indices.astype(np.int32), train.data, np.full(train.nnz, np.nan)),
            Features.empty(people),
            Features.empty(jobs),
            [""] * people,
            [""] * jobs,
        )
        model = create(name, settings).fit(data, rng=np.random.default_rng(0))

        def answer(users: Array) -> Array:
            query = data.query(users.astype(np.int32))
            return recommend(model, query, K, exclude=query.history).items

        return answer

    return fit


def implicit(name: str, **settings: Any) -> Callable[[Array], Recommend]:
    def fit(train: Array) -> Recommend:
        import implicit.als
        import implicit.bpr
        import implicit.nearest_neighbours as knn
        from threadpoolctl import threadpool_limits

        makers = {"ALS": implicit.als.AlternatingLeastSquares, "BPR": implicit.bpr.BayesianPersonalizedRanking}
        maker = makers.get(name) or getattr(knn, f"{name}Recommender")
        with threadpool_limits(1, "blas"):  # as its documentation asks for
            model = maker(**settings)
            model.fit(train, show_progress=False)

        def answer(users: Array) -> Array:
            with threadpool_limits(1, "blas"):
                return model.recommend(users, train[users], N=K)[0]

        return answer

    return fit


def lenskit(name: str, **settings: Any) -> Callable[[Array], Recommend]:
    def fit(train: Array) -> Recommend:
        import pandas as pd
        from lenskit import recommend
        from lenskit.als import ImplicitMFScorer
        from lenskit.data import from_interactions_df
        from lenskit.knn import ItemKNNScorer, UserKNNScorer
        from lenskit.pipeline import topn_pipeline

        makers = {"ALS": ImplicitMFScorer, "ItemKNN": ItemKNNScorer, "UserKNN": UserKNNScorer}
        pairs = train.tocoo()
        data = from_interactions_df(pd.DataFrame({"user_id": pairs.row, "item_id": pairs.col}))
        pipeline = topn_pipeline(makers[name](**settings))
        pipeline.train(data)
        return lambda users: _one_by_one(lambda user: recommend(pipeline, int(user), K).ids(), users)

    return fit


def rectools(name: str, **settings: Any) -> Callable[[Array], Recommend]:
    def fit(train: Array) -> Recommend:
        import pandas as pd
        from implicit.als import AlternatingLeastSquares
        from implicit.nearest_neighbours import BM25Recommender
        from rectools import Columns
        from rectools.dataset import Dataset
        from rectools.models import ImplicitALSWrapperModel, ImplicitItemKNNWrapperModel, PureSVDModel

        pairs = train.tocoo()
        ones = {Columns.Weight: 1.0, Columns.Datetime: pd.Timestamp("2020-01-01")}
        data = Dataset.construct(pd.DataFrame({Columns.User: pairs.row, Columns.Item: pairs.col}).assign(**ones))
        models = {
            "ALS": lambda: ImplicitALSWrapperModel(AlternatingLeastSquares(**settings)),
            "BM25": lambda: ImplicitItemKNNWrapperModel(BM25Recommender(**settings)),
            "PureSVD": lambda: PureSVDModel(**settings),
        }
        model = models[name]()
        model.fit(data)

        def answer(users: Array) -> Array:
            found = model.recommend(users, data, K, filter_viewed=True)
            items = np.full((len(users), K), -1)
            row = np.searchsorted(users, found[Columns.User].to_numpy())
            items[row, found[Columns.Rank].to_numpy() - 1] = found[Columns.Item].to_numpy()
            return items

        return answer

    return fit


def surprise(**settings: Any) -> Callable[[Array], Recommend]:
    def fit(train: Array) -> Recommend:
        import pandas as pd
        from surprise import SVD, Dataset, Reader

        rng, pairs = np.random.default_rng(0), train.tocoo()
        negatives = rng.integers(train.shape[1], size=train.nnz)  # it knows ratings only: one 0 beside each 1
        frame = pd.DataFrame(
            {
                "user": np.concatenate([pairs.row, pairs.row]),
                "item": np.concatenate([pairs.col, negatives]),
                "rating": np.repeat([1.0, 0.0], train.nnz),
            }
        )
        data = Dataset.load_from_df(frame, Reader(rating_scale=(0, 1))).build_full_trainset()
        model = SVD(random_state=0, **settings).fit(data)

        def best(user: Array) -> Array:
            scores = np.array([model.predict(user, item, clip=False).est for item in range(train.shape[1])])
            scores[train.indices[train.indptr[user] : train.indptr[user + 1]]] = -np.inf
            return np.argsort(-scores)[:K]

        return lambda users: _one_by_one(best, users)

    return fit


def cornac(name: str, **settings: Any) -> Callable[[Array], Recommend]:
    def fit(train: Array) -> Recommend:
        import cornac.models
        from cornac.data import Dataset

        pairs = train.tocoo()
        data = Dataset.build(list(zip(pairs.row, pairs.col, pairs.data, strict=True)))
        model = getattr(cornac.models, name)(seed=0, verbose=False, **settings).fit(data)
        return lambda users: _one_by_one(
            lambda user: model.recommend(user, k=K, remove_seen=True, train_set=data), users
        )

    return fit


def _one_by_one(best: Callable[[Any], Iterable[int]], users: Array) -> Array:
    """(n, 25) for as many of `users` as a minute allows, at least one."""
    stop, rows = time.perf_counter() + MINUTE, []
    for user in users:
        found = list(best(user))[:K]
        rows.append(found + [-1] * (K - len(found)))
        if time.perf_counter() > stop:
            break
    return np.array(rows)


def _cpu() -> float:
    """CPU seconds of this process and its children so far."""
    both = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in both)


def _peak_mb() -> float:
    """Most memory this process held; what it was started from does not count, as it would in getrusage."""
    status = Path("/proc/self/status")
    if status.is_file():
        lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
        return int(lines["VmHWM"].split()[0]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


PEERS: dict[str, tuple[str, Callable[[Array], Recommend]]] = {
    "metier user-kNN": ("metier", metier("user-knn")),
    "metier item-kNN": ("metier", metier("item-knn")),
    "metier RP3beta": ("metier", metier("rp3beta")),
    "metier iALS, 64": ("metier", metier("ials", embedding_size=64)),
    "metier EASE, core of 6,000": ("metier", metier("ease")),
    "metier SVD, 64": ("metier", metier("svd", embedding_size=64)),
    "implicit BM25 kNN, K = 100": ("implicit", implicit("BM25", K=100)),
    "implicit cosine kNN, K = 100": ("implicit", implicit("Cosine", K=100)),
    "implicit TF-IDF kNN, K = 100": ("implicit", implicit("TFIDF", K=100)),
    "implicit ALS, 64 × 15": ("implicit", implicit("ALS", factors=64, iterations=15, random_state=0)),
    "implicit BPR, 64 × 100": (
        "implicit",
        implicit("BPR", factors=64, iterations=100, learning_rate=0.05, random_state=0),
    ),
    "LensKit user-kNN, k = 100": ("lenskit", lenskit("UserKNN", k=100, feedback="implicit")),
    "LensKit item-kNN, k = 100": ("lenskit", lenskit("ItemKNN", k=100, feedback="implicit")),
    "LensKit ALS, 64 × 15": ("lenskit", lenskit("ALS", embedding_size=64, epochs=15)),
    "RecTools BM25 kNN, K = 100": ("rectools", rectools("BM25", K=100)),
    "RecTools ALS, 64 × 15": ("rectools", rectools("ALS", factors=64, iterations=15, random_state=0)),
    "RecTools PureSVD, 64": ("rectools", rectools("PureSVD", factors=64)),
    "Surprise SVD, 64 × 20, one 0 a 1": ("scikit-surprise", surprise(n_factors=64, n_epochs=20)),
    "cornac BPR, 64 × 100": ("cornac", cornac("BPR", k=64, max_iter=100, learning_rate=0.05)),
}
"""Row of the table -> distribution and what fits it."""

if __name__ == "__main__":
    main(*sys.argv[1:])
