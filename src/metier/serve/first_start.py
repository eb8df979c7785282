"""What the first start prepares: a tenant, its model, and the token of its first administrator."""

from pathlib import Path

from metier.bundle import answers_live, digest, version
from metier.errors import UsageError
from metier.serve.settings import Settings
from metier.store.store import Store
from metier.store.tenants import Tenant


def prepare(settings: Settings, bundle: str) -> str | None:
    """Make the tenant, and `bundle` its model where it has none; the one-time token while it has no administrator."""
    store = Store.open(settings.where)
    try:
        tenant = store.tenant(settings.tenant) or store.add_tenant(settings.tenant)
        with store.read(tenant.id) as rows:
            live = rows.models.live()
        if live is None:
            give(store, settings.home / "models" / bundle, tenant)
        return store.setup.token(tenant.id)
    finally:
        store.close()


def may_sign_in(settings: Settings) -> bool:
    """Whether the main tenant is there and has an administrator."""
    store = Store.open(settings.where)
    try:
        tenant = store.tenant(settings.tenant)
        if tenant is None:
            return False
        with store.read(tenant.id) as rows:
            return rows.accounts.has_admin()
    finally:
        store.close()


def taken(settings: Settings) -> set[str]:
    """Names of the bundles that are another tenant's than the main one's."""
    store = Store.open(settings.where)
    try:
        return {bundle for one in store.tenants() if one.name != settings.tenant for bundle in _bundles(store, one)}
    finally:
        store.close()


def give(store: Store, bundle: Path, tenant: Tenant) -> str:
    """Make a bundle the tenant's alone, to be promoted; live at once where the tenant has no live model. Its version.

    Raises
    ------
    UsageError : the bundle is not there, cannot answer live, or is another tenant's.
    """
    if not answers_live(bundle):
        raise UsageError(f"no bundle {bundle.name!r} of ranker or profile in {bundle.parent}; cure: metier train")
    for other in store.tenants():
        if other.id != tenant.id and bundle.name in _bundles(store, other):
            raise UsageError(f"the bundle {bundle.name!r} is the tenant {other.name}'s; cure: train another one")
    made = version(bundle.name, digest(bundle))
    with store.write(tenant.id) as rows:
        rows.models.add(made, bundle.name)
        rows.audit.append("system", "model.given", made)
        if rows.models.live() is None:
            rows.models.promote(made, "system")
            rows.audit.append("system", "model.promoted", made)
    return made


def _bundles(store: Store, tenant: Tenant) -> set[str]:
    with store.read(tenant.id) as rows:
        return {model.bundle for model in rows.models.all()}
