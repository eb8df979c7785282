"""`metier doctor`: is this machine ready?"""

import sys
from typing import Any

import typer

from metier.cli.doctor_service import Check, service
from metier.cli.terminal import Database, Home, Json, print_json, print_table


def doctor(database: Database = None, home: Home = None, as_json: Json = False) -> None:
    """Check that this machine, and a service in the home, are ready. Exit code 1 when they are not."""
    from metier.data.workspace import Workspace

    folder = Workspace.open(home).home
    checks = [*_machine(), *_workspace(folder), *_libraries(), *_extras(), *service(folder, database)]
    healthy = all(check.fine for check in checks)
    if as_json:
        print_json({"healthy": healthy, "checks": [check._asdict() for check in checks]})
    else:
        print_table(["check", "", "found"], [[c.name, "ok" if c.fine else "FAIL", c.found] for c in checks])
    if not healthy:
        raise typer.Exit(1)


def _machine() -> list[Check]:
    import os
    import platform

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    checks = [
        Check("python", sys.version_info >= (3, 11), f"{platform.python_version()}, needs 3.11 or newer"),
        Check("system", True, platform.platform()),
        Check("cores", True, str(cores)),
    ]
    if "SC_PHYS_PAGES" in getattr(os, "sysconf_names", {}):
        gigabytes = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9
        checks.append(Check("memory", gigabytes > 1.5, f"{gigabytes:.1f} GB, the demo needs 1.5 GB"))
    return checks


def _workspace(folder: Any) -> list[Check]:
    """The nearest folder that exists must be writable and have room."""
    import os
    import shutil

    there = next(path for path in [folder.absolute(), *folder.absolute().parents] if path.exists())
    free = shutil.disk_usage(there).free / 1e9
    return [
        Check("workspace", there.is_dir() and os.access(there, os.W_OK), f"{folder.absolute()} (--home, METIER_HOME)"),
        Check("disk", free > 0.5, f"{free:.1f} GB free"),
    ]


def _libraries() -> list[Check]:
    """Versions, and the compiled top-k run once on two threads against its NumPy twin."""
    from importlib.metadata import version

    import numba
    import numpy as np
    from threadpoolctl import threadpool_info

    from metier import __version__
    from metier.data import CSR
    from metier.kernels.topk import top_k, top_k_reference

    scores = np.arange(12, dtype=np.float32).reshape(2, 6) % 5
    asked = scores, CSR((2, 6), dtype=np.float32), np.ones(6, np.bool_), np.arange(6, dtype=np.int32), 3
    agree = all(np.array_equal(a, b) for a, b in zip(top_k(*asked), top_k_reference(*asked), strict=True))
    names = ["numpy", "scipy", "numba", "polars", "scikit-learn", "implicit", "pydantic", "altair", "wordllama"]
    blas = {f"{pool['internal_api']} {pool.get('version')}" for pool in threadpool_info() if pool["user_api"] == "blas"}
    return [
        Check("metier", True, __version__),
        *[Check(name, True, version(name)) for name in names],
        Check("numba threads", True, f"{numba.get_num_threads()}, {numba.threading_layer()}"),  # type: ignore[attr-defined]
        Check("compiled top-k", agree, "equals its NumPy twin" if agree else "differs from its NumPy twin"),
        Check("blas", True, ", ".join(sorted(blas)) or "none found"),
    ]


def _extras() -> list[Check]:
    from importlib.util import find_spec

    extras = {"torch": "torch", "local-llm": "xllamacpp", "ocr": "rapidocr", "dask": "distributed"}
    cure = "not installed (optional): pip install 'metier[{}]'"
    return [
        Check(f"extra {extra}", True, "installed" if find_spec(module) else cure.format(extra))
        for extra, module in extras.items()
    ]
