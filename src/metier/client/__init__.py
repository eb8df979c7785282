"""A typed client of `metier serve`; it needs httpx2 and nothing else of metier."""

from metier.client.answers import SessionMade
from metier.client.bodies import Credentials
from metier.client.operations import Operations
from metier.client.transport import ApiError

__all__ = ["ApiError", "Client"]


class Client(Operations):
    """The service: a method for each operation, by its operation id; ApiError where it answers with a problem."""

    def sign_in(self, body: Credentials) -> SessionMade:
        """Sign in; what follows is asked by that session."""
        made = super().sign_in(body)
        self._http.headers["X-CSRF-Token"] = made["csrf"]
        return made
