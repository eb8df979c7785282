"""What the first start prepares: a tenant, its model, and the token of the first administrator."""

from metier.bundle import digest, version
from metier.serve.settings import Settings
from metier.store.store import Store


def prepare(settings: Settings, bundle: str) -> str | None:
    """Make the tenant, and `bundle` its model where it has none; the one-time token while nobody may sign in."""
    store = Store.open(settings.where)
    try:
        tenant = next((one for one in store.tenants() if one.name == settings.tenant), None)
        tenant = tenant or store.add_tenant(settings.tenant)
        with store.write(tenant.id) as rows:
            if rows.models.live() is None:
                live = version(bundle, digest(settings.home / "models" / bundle))
                rows.models.add(live, bundle)
                rows.models.promote(live, "system")
                rows.audit.append("system", "model.promoted", live)
        return store.setup.token()
    finally:
        store.close()
