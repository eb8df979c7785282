"""Factorization machines beside their peers: seconds of an epoch, MAP@25, time to RecBole's MAP@25.

    python benchmarks/fm.py [--scale 0.1] [--peers metier,recbole] [--epochs 5] [--seconds 3600] [--quick]

The data are those of world.py: applications, each beside 4 jobs drawn from the catalogue, 20 active features, k = 64.
Every peer runs in its own environment (made under .bench/ on the first run) and process, all cores allowed. An epoch is
the difference of two runs, of 1 and of `--epochs` epochs, over their number, so that what is done once does not count;
an attentional machine of a peer is timed on a sample of the applications and scaled up. MAP@25 is metier's own metric
after `--epochs` epochs over the whole catalogue. The time to RecBole's MAP@25 is that of the quickest whole `fit`, of
1, 2, 3, 5, 8, ... epochs, that reaches what RecBole FM has after `--epochs`.
"""

import argparse
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from cf import mean_average_precision
from environments import CACHE, PeerError, child, environment, machine, table
from metier.data import CSR
from peers.fm import NEGATIVES, PEERS
from world import World, world

REQUIREMENTS = {
    "recbole": ["torch==2.13.0", "recbole==1.2.1 numpy<2 pandas<2.3 scipy<1.14"],
    "xlearn": ["setuptools wheel numpy scipy", "xlearn==0.40a1"],
    "myfm": ["myfm==0.4.0"],
    "torch": ["torch==2.13.0", "numpy scipy"],
}
"""pip steps of each distribution; torch comes first, so that nothing fetches another build."""

TRIED = (1, 2, 3, 5, 8, 12, 20, 30)
COLUMNS = ["", "version", "epoch s", "epoch CPU s", "examples/s", "MAP@25", "s to RecBole's MAP"]


def stored(built: World, judged: int, file: Path) -> CSR:
    """Write what a peer needs; returns the (n, I) truth of the people it is judged by."""
    data, parts = built.data, {}
    for side, features in (("people", data.user_features), ("jobs", data.item_features)):
        matrix, sizes = features.matrix, np.bincount(features.fields)
        parts |= {f"{side}_{name}": getattr(matrix, name) for name in ("data", "indices", "indptr", "shape")}
        named = zip(features.field_names, sizes, strict=True)
        parts[f"{side}_fields"] = np.array("{" + ", ".join(f'"{name}": {size}' for name, size in named) + "}")
    pairs, users = data.interactions, built.test_users[:judged]
    np.savez(file, users=pairs.users, items=pairs.items, judged=users, **parts)
    return built.truth[: len(users)]


class Bench:
    """Runs of one session: where they happen and what they are judged by."""

    def __init__(self, cache: Path, folder: Path, truth: CSR, seconds: float) -> None:
        self.cache, self.folder, self.truth, self.seconds = cache, folder, truth, seconds

    def run(self, peer: str, epochs: int, share: float = 1.0) -> tuple[dict[str, float], float | None]:
        """What the child printed, and MAP@25 where it ranked."""
        package = PEERS[peer][0]
        python = (
            Path(sys.executable) if package == "metier" else environment(package, REQUIREMENTS[package], self.cache)
        )
        script, items = Path(__file__).parent / "peers" / "fm.py", self.folder / "items.npy"
        arguments = [peer, str(self.folder / "world.npz"), str(items), str(epochs), str(share)]
        got = child(python, script, arguments, self.seconds, {"USER": "bench"})
        return got, mean_average_precision(np.load(items), self.truth) if got["ranked"] else None

    def row(self, peer: str, epochs: int, applications: int, share: float, goal: float | None) -> list[str]:
        """One line of the table; figures of a sample are scaled up and marked."""
        once, _ = self.run(peer, 1, share)
        often, reached = self.run(peer, epochs, share)
        wall, cpu = ((often[name] - once[name]) / (epochs - 1) / share for name in ("seconds", "cpu"))
        note = "" if share == 1 else f" (from {share:.2%})"
        speed = applications * (1 + NEGATIVES) / wall
        quality = "–" if reached is None else f"{reached:.4f}"
        time = "–" if goal is None or not peer.startswith("metier FM") else self.time_to(peer, goal)
        if peer == "RecBole FM":
            time = f"{often['seconds']:.1f}"
        return [peer, str(once["version"]), f"{wall:.2f}{note}", f"{cpu:.2f}", f"{speed:,.0f}", quality, time]

    def time_to(self, peer: str, goal: float) -> str:
        """Seconds of the quickest fit that reaches a MAP@25, with its epochs and its own MAP@25."""
        for epochs in TRIED:
            got, reached = self.run(peer, epochs)
            if reached is not None and reached >= goal:
                return f"{got['seconds']:.2f} ({epochs} epochs, {reached:.4f})"
        return f"not in {TRIED[-1]} epochs"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=float, default=0.1, help="1 is 320,000 people and 365,000 jobs")
    parser.add_argument("--peers", default="", help="rows that start with one of these words, comma separated")
    parser.add_argument("--epochs", type=int, default=5, help="of the longer run, at least 2")
    parser.add_argument("--judged", type=int, default=2000, help="people whose lists are judged")
    parser.add_argument("--afm-share", type=float, default=0.02, help="applications an attentional peer is timed on")
    parser.add_argument("--seconds", type=float, default=3600, help="limit of each run")
    parser.add_argument("--cache", type=Path, default=CACHE, help="folder of the peers' environments")
    parser.add_argument("--quick", action="store_true", help="scale 0.01, metier FM only")
    given = parser.parse_args()
    scale, wanted = (0.01, "metier FM") if given.quick else (given.scale, given.peers)
    peers = [peer for peer in PEERS if peer.lower().startswith(tuple(wanted.lower().split(",")))]
    peers.sort(key=lambda peer: peer != "RecBole FM")  # its MAP@25 is the goal of the others
    built = world(scale)
    applications = len(built.data.interactions)
    people, jobs = built.data.shape
    print(
        f"{machine()}. {people:,} people, {jobs:,} jobs, {applications:,} applications x (1 + {NEGATIVES}); "
        f"{given.epochs} epochs, {min(given.judged, len(built.test_users)):,} people judged.\n"
    )
    rows, goal = [], None
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        bench = Bench(given.cache, folder, stored(built, given.judged, folder / "world.npz"), given.seconds)
        for peer in peers:
            share = given.afm_share if peer == "RecBole AFM" else 1.0
            try:
                rows.append(bench.row(peer, given.epochs, applications, share, goal))
            except PeerError as error:
                rows.append([peer, "", f"failed: {error}", "", "", "", ""])
            else:
                goal = float(rows[-1][5]) if peer == "RecBole FM" else goal
            print(f"{peer} done", file=sys.stderr)
    print(table(COLUMNS, rows))


if __name__ == "__main__":
    main()
