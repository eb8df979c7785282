"""One factorization machine, trained for some epochs: fm.py runs this file in the peer's own environment.

    python benchmarks/peers/fm.py PEER WORLD.npz ITEMS.npy EPOCHS SHARE

Trains on the first SHARE of the applications, each beside 4 jobs drawn from the whole catalogue, then writes the 25
best unseen jobs of the judged people to ITEMS and prints seconds and versions as JSON. A peer is a function that takes
the world and a number of epochs and returns `(train, rank)`: what is done before `train()` is not timed (conversion to
the peer's format, compilation), and `rank()` gives vectors p (n, d), q (I, d), whose product orders the jobs of each
judged person, or finished lists (n, 25), or None. A factorization machine is such a product: with V the vectors and w
the weights of the features x, p = x_u V beside a 1, and q = x_j V beside the job's linear terms and inner pairs.
"""

import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

K, SIZE, NEGATIVES, BATCH = 25, 64, 4, 8192
Array = Any
Trainer = tuple[Callable[[], None], Callable[[], Any]]


class World:
    """users, items (nnz,) applications; people (U, f), jobs (I, g) CSR features; judged (n,) people to rank for."""

    def __init__(self, file: str, share: float) -> None:
        stored = np.load(file)
        self.users, self.items, self.judged = stored["users"], stored["items"], stored["judged"]
        self.people, self.jobs = (
            sparse.csr_matrix(
                tuple(stored[f"{side}_{part}"] for part in ("data", "indices", "indptr")), stored[f"{side}_shape"]
            )
            for side in ("people", "jobs")
        )
        self.fields = {side: json.loads(str(stored[f"{side}_fields"])) for side in ("people", "jobs")}
        self.seen = sparse.csr_matrix(
            (np.ones(len(self.users), np.float32), (self.users, self.items)), (self.people.shape[0], self.jobs.shape[0])
        )
        kept = max(1, round(share * len(self.users)))
        chosen = np.sort(np.random.default_rng(0).permutation(len(self.users))[:kept])
        self.users, self.items = self.users[chosen], self.items[chosen]

    def sides(self) -> tuple[Array, Array]:
        """(U, F) and (I, F) one-hot rows over one numbering: person, job, the person's features, the job's."""
        n, m = self.people.shape[0], self.jobs.shape[0]
        empty = sparse.csr_matrix
        people = [sparse.eye(n), empty((n, m)), self.people, empty((n, self.jobs.shape[1]))]
        jobs = [empty((m, n)), sparse.eye(m), empty((m, self.people.shape[1])), self.jobs]
        return sparse.hstack(people, "csr", np.float32), sparse.hstack(jobs, "csr", np.float32)

    def examples(self, rng: Any) -> tuple[Array, Array, Array]:
        """users, items, labels (5 nnz,) of one epoch, shuffled."""
        users = np.repeat(self.users, 1 + NEGATIVES)
        items = np.column_stack([self.items, rng.integers(0, self.jobs.shape[0], (len(self.items), NEGATIVES))]).ravel()
        labels = np.tile(np.array([1] + [0] * NEGATIVES, np.float32), len(self.users))
        order = rng.permutation(len(users))
        return users[order], items[order], labels[order]

    def factors(self, vectors: Array, weights: Array) -> tuple[Array, Array]:
        """p and q of the judged people and all jobs, from (F, k) and (F,) in the numbering of `sides`."""
        people, jobs = self.sides()
        p, q = people[self.judged] @ vectors, jobs @ vectors
        bias = jobs @ weights + 0.5 * ((q**2).sum(axis=1) - jobs @ (vectors**2).sum(axis=1))
        return np.column_stack([p, np.ones(len(p))]), np.column_stack([q, bias])


def metier(model: str, **settings: Any) -> Callable[[World, int], Trainer]:
    def prepare(world: World, epochs: int) -> Trainer:
        from metier.data import CSR, Dataset, Features, Interactions, Vocabulary
        from metier.models.base import recommend
        from metier.models.registry import create

        def features(matrix: Array, fields: dict[str, int]) -> Features:
            names = tuple(f"{field}={value}" for field, size in fields.items() for value in range(size))
            owner = np.repeat(np.arange(len(fields), dtype=np.int16), list(fields.values()))
            return Features(CSR(matrix), names, owner, tuple(fields))

        people, jobs = world.seen.shape
        n = len(world.users)
        data = Dataset(
            Vocabulary("person", [f"p{u}" for u in range(people)]),
            Vocabulary("job", [f"j{j}" for j in range(jobs)]),
            Interactions(world.users, world.items, np.ones(n, np.float32), np.full(n, np.nan)),
            features(world.people, world.fields["people"]),
            features(world.jobs, world.fields["jobs"]),
            [""] * people,
            [""] * jobs,
        )
        first = Interactions(*(part[:50] for part in (world.users, world.items, np.ones(n, np.float32), np.zeros(n))))
        small = Dataset(data.users, data.items, first, *(getattr(data, name) for name in
                        ("user_features", "item_features", "user_texts", "item_texts")))  # fmt: skip
        create(model, {**settings, "epochs": 1}).fit(small, rng=np.random.default_rng(0))  # compiles or reads its cache
        fitted = create(model, {**settings, "epochs": epochs})

        def rank() -> Array:
            asked = data.query(world.judged.astype(np.int32))
            return recommend(fitted, asked, K, exclude=asked.history).items

        return lambda: fitted.fit(data, rng=np.random.default_rng(0)) and None, rank

    return prepare


def torch_fm(world: World, epochs: int) -> Trainer:
    """All features of an example in one row of numbers, logistic loss, dense Adam."""
    import torch

    people, jobs = world.sides()
    unused = people.shape[1]

    def padded(matrix: Array) -> Any:
        rows = np.full((matrix.shape[0], np.diff(matrix.indptr).max()), unused)
        at = np.arange(matrix.nnz) - np.repeat(matrix.indptr[:-1], np.diff(matrix.indptr))
        rows[np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr)), at] = matrix.indices
        return torch.from_numpy(rows)

    torch.manual_seed(0)
    of_person, of_job = padded(people), padded(jobs)
    vectors = torch.nn.Embedding(unused + 1, SIZE, padding_idx=unused)
    weights = torch.nn.Embedding(unused + 1, 1, padding_idx=unused)
    torch.nn.init.normal_(vectors.weight.data[:unused], std=0.05)
    torch.nn.init.zeros_(weights.weight)
    adam = torch.optim.Adam([*vectors.parameters(), *weights.parameters()], lr=0.01)
    rng = np.random.default_rng(0)

    def train() -> None:
        for _ in range(epochs):
            users, items, labels = (torch.from_numpy(part) for part in world.examples(rng))
            for part in torch.arange(len(users)).split(BATCH):
                x = torch.cat([of_person[users[part]], of_job[items[part]]], dim=1)  # (B, 20)
                v = vectors(x)  # (B, 20, k)
                y = weights(x).sum((1, 2)) + 0.5 * (v.sum(1) ** 2 - (v**2).sum(1)).sum(1)
                loss = torch.nn.functional.binary_cross_entropy_with_logits(y, labels[part])
                adam.zero_grad()
                loss.backward()
                adam.step()

    return train, lambda: world.factors(
        *(part.weight.detach().numpy()[:unused].squeeze() for part in (vectors, weights))
    )


def xlearn(world: World, epochs: int) -> Trainer:
    """Reads its examples from a text file; the time has the reading in it, which the difference of two runs has not."""
    os.environ.setdefault("USER", "bench")
    import xlearn as xl

    people, jobs = world.sides()
    folder = Path(tempfile.mkdtemp())
    text = [
        [" ".join(f"{f}:1" for f in row) for row in np.split(side.indices, side.indptr[1:-1])]
        for side in (people, jobs)
    ]
    with (folder / "train.txt").open("w") as file:
        for user, item, label in zip(*world.examples(np.random.default_rng(0)), strict=True):
            file.write(f"{label:g} {text[0][user]} {text[1][item]}\n")
    model = xl.create_fm()
    model.setTrain(str(folder / "train.txt"))
    model.setTXTModel(str(folder / "model.txt"))
    model.setQuiet()
    model.disableNorm()
    settings = {
        "task": "binary",
        "opt": "adagrad",
        "lr": 0.1,
        "lambda": 0.0,
        "k": SIZE,
        "epoch": epochs,
        "stop_window": 10**6,
    }

    def rank() -> Array:
        vectors, weights = np.zeros((people.shape[1], SIZE)), np.zeros(people.shape[1])
        for line in (folder / "model.txt").open():
            name, _, numbers = line.partition(":")
            kind, _, number = name.partition("_")
            if number and int(number) < len(weights):
                (weights if kind == "i" else vectors)[int(number)] = np.array(numbers.split(), float).squeeze()
        return world.factors(vectors, weights)

    return lambda: model.fit(settings, str(folder / "model.bin")), rank


def myfm(world: World, epochs: int) -> Trainer:
    """Gibbs sampling: an epoch is an iteration; the score is the mean over the last samples, here side by side."""
    from myfm import MyFMGibbsRegressor

    people, jobs = world.sides()
    users, items, labels = world.examples(np.random.default_rng(0))
    x = people[users] + jobs[items]
    model = MyFMGibbsRegressor(rank=SIZE, random_seed=0)
    kept = max(1, epochs // 2)

    def rank() -> Array:
        parts = [world.factors(np.array(one.V), np.array(one.w)) for one in model.predictor_.samples]
        return tuple(np.column_stack(side) for side in zip(*parts, strict=True))

    return lambda: model.fit(x, labels, n_iter=epochs, n_kept_samples=kept, config_builder=None), rank


def recbole(name: str) -> Callable[[World, int], Trainer]:
    def prepare(world: World, epochs: int) -> Trainer:
        import torch
        from recbole.config import Config
        from recbole.data import create_dataset, data_preparation
        from recbole.utils import get_model, get_trainer, init_seed

        folder = Path(tempfile.mkdtemp()) / "world"
        folder.mkdir()
        os.chdir(folder)  # it writes logs where it stands
        columns = _atomic_files(world, folder)
        settings = {
            "data_path": str(folder.parent),
            "load_col": columns,
            "epochs": epochs,
            "embedding_size": SIZE,
            "attention_size": 25,
            "train_batch_size": BATCH,
            "learning_rate": 0.005,
            "train_neg_sample_args": {"distribution": "uniform", "sample_num": NEGATIVES},
            "eval_args": {"split": {"RS": [0.998, 0.001, 0.001]}, "order": "RO", "group_by": None, "mode": "full"},
            "metrics": ["MAP"],
            "valid_metric": "MAP@10",
            "checkpoint_dir": str(folder.parent),
            "use_gpu": False,
            "show_progress": False,
            "state": "ERROR",
            "seed": 0,
        }
        config = Config(model=name, dataset="world", config_dict=settings)
        init_seed(0, True)
        dataset = create_dataset(config)
        train_data, _, _ = data_preparation(config, dataset)
        model = get_model(name)(config, train_data.dataset)
        trainer = get_trainer(config["MODEL_TYPE"], name)(config, model)

        def train() -> None:
            for epoch in range(epochs):
                trainer._train_epoch(train_data, epoch)

        def rank() -> Array | None:
            if name != "FM":
                return None  # the attention ties every pair to all others, so a score is no product
            users = dataset.token2id("user_id", [str(u) for u in world.judged])
            items = dataset.token2id("item_id", [str(j) for j in range(world.jobs.shape[0])])
            of = {"user_id": dataset.get_user_feature(), "item_id": dataset.get_item_feature()}
            fields = [*model.token_field_names, *model.token_seq_field_names]
            mine = [field in of["user_id"].columns for field in fields]
            with torch.no_grad():

                def embedded(user: Array, item: Array) -> tuple[Any, Any]:
                    pair = of["user_id"][torch.as_tensor(user)]
                    pair.update(of["item_id"][torch.as_tensor(item)])
                    return model.concat_embed_input_fields(pair), model(pair)

                p = embedded(users, np.full(len(users), items[0]))[0][:, mine].sum(1)
                vectors, score = embedded(np.full(len(items), users[0]), items)
                q = vectors[:, [not one for one in mine]].sum(1)
                bias = score - q @ p[0]  # up to a constant of the first person
            return np.column_stack([p, np.ones(len(p))]), np.column_stack([q, bias])

        return train, rank

    return prepare


def _atomic_files(world: World, folder: Path) -> dict[str, list[str]]:
    """RecBole's .inter, .user and .item files; returns the columns to load."""
    columns = {"inter": ["user_id", "item_id"]}
    pairs = "\n".join(f"{u}\t{j}" for u, j in zip(world.users, world.items, strict=True))
    (folder / "world.inter").write_text(f"user_id:token\titem_id:token\n{pairs}\n")
    for side, suffix, key, matrix in (
        ("people", "user", "user_id", world.people),
        ("jobs", "item", "item_id", world.jobs),
    ):
        fields = world.fields[side]
        edges = np.cumsum([0, *fields.values()])
        names = [f"{suffix}_{field}" for field in fields]
        kinds = ["token_seq" if field == "word" else "token" for field in fields]
        columns[suffix] = [key, *names]
        with (folder / f"world.{suffix}").open("w") as file:
            file.write("\t".join([f"{key}:token", *(f"{n}:{k}" for n, k in zip(names, kinds, strict=True))]) + "\n")
            for row in range(matrix.shape[0]):
                active = matrix.indices[matrix.indptr[row] : matrix.indptr[row + 1]]
                owner = np.searchsorted(edges, active, side="right") - 1
                cells = [" ".join(map(str, active[owner == field])) for field in range(len(fields))]
                file.write("\t".join([str(row), *cells]) + "\n")
    return columns


PLAIN = {"embedding_size": SIZE, "negatives": NEGATIVES, "same_state": 0.0, "same_city": 0.0, "history": 0} | {
    "silence": 0.0,
    "min_count": 0,
}
"""The machine of the peers: ids and features, negatives from anywhere."""
PEERS: dict[str, tuple[str, Callable[[World, int], Trainer]]] = {
    "metier FM": ("metier", metier("fm", **PLAIN)),
    "metier FM, defaults": ("metier", metier("fm")),
    "metier AFM": ("metier", metier("afm", **PLAIN, attention_size=25, learning_rate=0.05)),
    "RecBole FM": ("recbole", recbole("FM")),
    "RecBole AFM": ("recbole", recbole("AFM")),
    "xLearn FM": ("xlearn", xlearn),
    "myFM": ("myfm", myfm),
    "torch FM": ("torch", torch_fm),
}
"""Row of the table -> distribution and preparation."""


def main(peer: str, world_file: str, items_file: str, epochs: str, share: str) -> None:
    world = World(world_file, float(share))
    package, prepare = PEERS[peer]
    train, rank = prepare(world, int(epochs))
    cpu, start = _cpu(), time.perf_counter()
    train()
    seconds, cpu = time.perf_counter() - start, _cpu() - cpu
    found = rank() if float(share) == 1 else None
    if isinstance(found, tuple):
        found = _best(*found, world.seen[world.judged])
    if found is not None:
        np.save(items_file, np.asarray(found, np.int32))
    print(json.dumps({"seconds": seconds, "cpu": cpu, "version": version(package), "ranked": found is not None}))


def _best(p: Array, q: Array, seen: Array) -> Array:
    """(n, 25) jobs of the largest p . q, seen ones left out."""
    items = np.empty((len(p), K), np.int32)
    for row in range(len(p)):
        score = q @ p[row]
        score[seen.indices[seen.indptr[row] : seen.indptr[row + 1]]] = -np.inf
        top = np.argpartition(-score, K)[:K]
        items[row] = top[np.argsort(-score[top])]
    return items


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main(*sys.argv[1:])
