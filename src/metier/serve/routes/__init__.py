"""The operations, one file for each resource; they translate between HTTP, `store` and `live`."""

from fastapi import APIRouter

from metier.serve.routes import (
    accounts,
    audit,
    bulk,
    events,
    health,
    jobs,
    keys,
    models,
    people,
    recommendations,
    resumes,
    sessions,
)

ROUTERS: tuple[APIRouter, ...] = (
    recommendations.router,
    bulk.router,
    people.router,
    resumes.router,
    jobs.router,
    events.router,
    models.router,
    accounts.router,
    keys.router,
    sessions.router,
    audit.router,
    health.router,
)
"""The most asked first, and fixed paths before those with a parameter: the first that fits answers."""
