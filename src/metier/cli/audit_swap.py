"""`metier audit swap`: does a suggestion depend on a name, a pronoun or a school?"""

from dataclasses import asdict
from typing import Annotated

import typer

from metier.cli.terminal import Home, Json, Seed, note, print_json, print_table
from metier.errors import UsageError


def swap(
    bundle: Annotated[str, typer.Argument(help="Name of a trained bundle.")],
    count: Annotated[int, typer.Option("--pairs", min=4, help="Made-up pairs of résumés.")] = 1000,
    k: Annotated[int, typer.Option("-k", min=1, help="Jobs a text.")] = 20,
    seed: Seed = 0,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Ask for jobs with made-up résumés that differ only in name, pronoun, both, or school.

    Ends with 1 when a name or a pronoun moved a score of a model that is served; schools are reported apart.
    """
    import numpy as np

    from metier.data.workspace import Workspace
    from metier.operate.resume_pairs import draw_pairs
    from metier.operate.swap import ask_bundle, swap_audit

    workspace = Workspace.open(home)
    if bundle not in workspace.names("models"):
        there = ", ".join(workspace.names("models")) or "none yet"
        raise UsageError(f"no bundle {bundle!r} in {workspace.home} (there: {there}); cure: metier train")
    ask, as_served = ask_bundle(workspace.model(bundle), k)
    rng = np.random.default_rng(seed)
    rows = swap_audit(ask, draw_pairs(count, rng=rng), rng=rng)
    moved = sum(row.moved for row in rows if row.must_not_move)
    asked = sum(row.pairs for row in rows if row.must_not_move)
    if as_json:
        facts = {"bundle": bundle, "as_served": as_served, "pairs": asked, "moved": moved}
        print_json({**facts, "rows": [{**asdict(row), "must_not_move": row.must_not_move} for row in rows]})
    else:
        heads = ["swapped", "from", "to", "pairs", "moved", f"same of {k}", "shift", "low", "high"]
        print_table(heads, [list(asdict(row).values()) for row in rows])
    note(f"{moved:,} of {asked:,} pairs that differ in name or pronoun moved")
    if not as_served:
        note("this model is not served, and sees the text as it is; `profile` and `ranker` see it without names")
    elif moved:
        raise typer.Exit(1)
