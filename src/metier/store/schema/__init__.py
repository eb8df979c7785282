"""The tables as they are now. A change here needs a migration beside it; a test compares the two.

All but `completions` and `calls` belong to the service: their times are seconds since 1970 (UTC), and what belongs to
somebody has a column `tenant`.
"""

from metier.store.schema.access import accounts, api_keys, sessions, setup_tokens, tenants
from metier.store.schema.base import metadata
from metier.store.schema.enrichment import calls, completions
from metier.store.schema.market import events, jobs, people, resumes
from metier.store.schema.records import audit, erasures, idempotency, import_refusals, imports
from metier.store.schema.serving import exposures, model_changes, models, recommendations

__all__ = [
    "accounts",
    "api_keys",
    "audit",
    "calls",
    "completions",
    "erasures",
    "events",
    "exposures",
    "idempotency",
    "import_refusals",
    "imports",
    "jobs",
    "metadata",
    "model_changes",
    "models",
    "people",
    "recommendations",
    "resumes",
    "sessions",
    "setup_tokens",
    "tenants",
]
