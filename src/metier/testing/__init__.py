"""Public test kit: contract suite, tiny worlds, fakes, hypothesis strategies."""
