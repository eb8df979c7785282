"""What the first start prepares: a tenant, its model, and the token of the first administrator."""

import hashlib
from pathlib import Path

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
                version = version_of(settings.home / "models" / bundle)
                rows.models.add(version, bundle)
                rows.models.promote(version, "system")
                rows.audit.append("system", "model.promoted", version)
        return store.setup.token()
    finally:
        store.close()


def version_of(folder: Path) -> str:
    """ "<bundle>@<first 12 digits of its manifest's SHA-256>", as `LiveModel.version`."""
    return f"{folder.name}@{hashlib.sha256((folder / 'manifest.json').read_bytes()).hexdigest()[:12]}"
