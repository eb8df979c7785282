"""Two processes with half a batch each take the steps of one process with the whole batch."""

import os
import socket
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest

from metier.bundle import load, state
from metier.data.workspace import Workspace
from metier.features.assemble import assemble
from metier.models.registry import create
from metier.testing.worlds import small_town

CASES = [
    ("two-tower", {"batch": 65, "reg": 0.01}),  # 65 rows and their pools do not halve
    ("lgir", {"batch": 65, "generator_weight": 1.0, "classifier_weight": 1.0}),
    ("lgir", {"batch": 33, "gate": "count", "loss": "bpr", "matching": "cosine", "reconstruction": 1.0}),
    ("lgir", {"batch": 64, "generator": "identity", "attributes": False, "topics": 0}),
]


def main(out: str) -> None:
    """Fit all cases, alone or in the group that the environment names, and write what was learned."""
    import torch

    from metier.models.processes import joined

    # Plain gradient steps: Adam makes a step of any gradient, and so of a rounding error where there is none.
    torch.optim.Adam = lambda groups, lr: torch.optim.SGD(groups, lr=30 * lr)
    data = assemble(small_town(people=150)).dataset
    with joined() if "RANK" in os.environ else nullcontext(True) as first:
        found = {}
        for number, (name, settings) in enumerate(CASES):
            model = create(name, {"epochs": 1, **settings}).fit(data, rng=np.random.default_rng(3))
            found |= {f"{number} {name} {part}": array for part, array in state(model)[0].items()}
        if first:
            np.savez(out, **found)


def run(out: Path, processes: int, port: int) -> dict[str, np.ndarray]:
    """What `main` wrote."""
    group = {"WORLD_SIZE": processes, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    running = []
    for rank in range(processes):
        own = {name: str(value) for name, value in {"RANK": rank, **group}.items()} if processes > 1 else {}
        running.append(subprocess.Popen([sys.executable, __file__, str(out)], env=os.environ | own))
    assert [one.wait() for one in running] == [0] * processes
    return dict(np.load(out))


def test_the_steps_are_those_of_one_process(torch, tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    alone, together = (run(tmp_path / f"{n}.npz", n, port) for n in (1, 2))
    assert alone.keys() == together.keys()
    for name, array in alone.items():
        np.testing.assert_allclose(together[name], array, rtol=1e-4, atol=2e-6, err_msg=name)


def test_the_command_starts_a_group(torch, metier, town_home):
    settings = ("--model", "lgir", "--set", "epochs=2", "--set", "encoder=none", "--seed", "1")
    assert metier("train", "town", "--as", "one", *settings).code == 0
    ran = metier("train", "town", "--as", "two", *settings, "--processes", "2", "--json")
    assert ran.code == 0
    assert '"bundle": "two"' in ran.out
    one, two = (load(Workspace(town_home).model(name)).model for name in ("one", "two"))
    np.testing.assert_allclose(one.head_, two.head_, rtol=1e-3)
    np.testing.assert_allclose(one.mlp_.output_, two.mlp_.output_, atol=1e-4)


def test_a_group_that_fails_ends(torch, metier, town_home):
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    ran = metier("train", "town", "--as", "never", "--model", "lgir", "--set", "device=cuda", "--processes", "2")
    assert ran.code == 2
    assert "never" not in Workspace(town_home).names("models")


def test_what_a_group_cannot_train_is_named(metier):
    ran = metier("train", "town", "--as", "never", "--model", "fm", "--processes", "2")
    assert ran.code == 2
    assert "two-tower" in ran.err


def test_alone_nothing_is_shared(torch):
    from metier.models.processes import alike, gathered, parallel, part, share

    def loss() -> None: ...

    rows, arrays = torch.ones(3, 2), [np.ones(2, np.float32)]
    assert share(5) == (slice(0, 5), 1.0)
    assert part(5) == slice(0, 5)
    assert gathered(rows, 3) is rows
    assert alike(arrays) is arrays
    assert parallel(torch.nn.Linear(2, 2), loss) is loss


@pytest.mark.parametrize("processes", [2, 3, 7])
@pytest.mark.parametrize("n", [1, 3, 7, 64])
def test_shares_weigh_as_their_rows_do(torch, monkeypatch, n, processes):
    from metier.models import processes as of

    monkeypatch.setattr(of, "_processes", lambda: processes)
    monkeypatch.setattr(of, "_grouped", lambda: True)
    mean = 0.0
    for rank in range(processes):
        monkeypatch.setattr(of.distributed, "get_rank", lambda rank=rank: rank)
        rows, weight = of.share(n)
        mean += weight * np.arange(n)[rows].mean() / processes
    assert mean == pytest.approx((n - 1) / 2)


if __name__ == "__main__":
    main(sys.argv[1])
