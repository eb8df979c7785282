"""Where batch work runs: `local` (processes of this machine) and `dask` (a cluster), behind one port."""

from metier.engine.base import Engine, Work, map_table, work
from metier.engine.choice import RunningEngine, open_engine
from metier.engine.kept import kept

__all__ = ["Engine", "RunningEngine", "Work", "kept", "map_table", "open_engine", "work"]
