"""metier recommends jobs to people and people to jobs, and proves on held-out behaviour how well."""

__version__ = "0.1.0"
