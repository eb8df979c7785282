"""What every client of an OpenAI-compatible server keeps to: plain addresses, no key in clear, no detours, bounds.

Redirects are off, since they could carry a person's text to a host that nobody configured; an answer is read here, in
bounds of time and size, since the openai package takes any JSON for one.
"""

import os
import time
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from metier.errors import ConfigError


def plain_url(base_url: str) -> str:
    """The address without a slash at its end.

    Raises
    ------
    ValueError : it is no http address, or holds more than one; the message does not hold the address.
    """
    try:
        url = urlsplit(base_url.rstrip("/"))
    except ValueError:
        raise ValueError("is no URL") from None  # what urlsplit says may quote a password
    if url.scheme not in ("http", "https") or not url.hostname:
        raise ValueError("must begin with http:// or https:// and name a host")
    if url.username or url.password or url.query or url.fragment:
        raise ValueError("must hold no user, password, query or fragment: URLs end up in logs; the key has a variable")
    return url.geturl()


def is_local(base_url: str) -> bool:
    """Whether the address is on this machine: nothing sent to it can be read on a network."""
    host = urlsplit(base_url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def refuse_key_in_clear(base_url: str, variable: str) -> None:
    """ConfigError where the key in an environment variable would go unencrypted to another machine."""
    if base_url.startswith("http://") and not is_local(base_url):
        raise ConfigError(
            f"{base_url} is not encrypted, and the key in {variable} would be sent in clear; "
            "cure: use https://, or an address of this machine"
        )


def key_in(variable: str) -> str:
    """The key that an environment variable holds.

    Raises
    ------
    ConfigError : the variable is absent or empty, or holds what no header may.
    """
    key = os.environ.get(variable, "").strip()
    if not key:
        raise ConfigError(f"the environment variable {variable} holds no API key; cure: export it")
    if not (key.isascii() and key.isprintable()):
        raise ConfigError(f"the environment variable {variable} holds characters that no key has")
    return key


def connect(base_url: str, key: str | None, *, timeout: float, retries: int = 0, kept: int = 1) -> Any:
    """The openai package's client for an address and a key; `omitted_headers` go with every request of it.

    Parameters
    ----------
    timeout : seconds a request may take.
    kept : connections kept open between requests.
    """
    import httpx2
    import openai

    return openai.OpenAI(
        base_url=base_url,
        api_key=key or "none",
        max_retries=retries,
        timeout=timeout,
        http_client=httpx2.Client(
            follow_redirects=False,
            trust_env=not is_local(base_url),  # a proxy is of no use on the way to this machine
            limits=httpx2.Limits(max_connections=None, max_keepalive_connections=kept),
        ),
    )


def omitted_headers(key: str | None) -> dict[str, Any]:
    """What the openai package would send from its own environment variables, and a key where there is none."""
    from openai import Omit

    names = ["OpenAI-Organization", "OpenAI-Project", *(["Authorization"] if key is None else [])]
    return dict.fromkeys(names, Omit())


def read_body(response: Any, deadline: float, longest: int) -> bytes:
    """The whole body; a server that sends a byte now and then is as late as one that sends none.

    Parameters
    ----------
    deadline : on the clock of `time.monotonic`.
    longest : bytes at most.

    Raises
    ------
    ValueError : it is longer. TimeoutError : it is not there in time.
    """
    body = bytearray()
    for chunk in response.iter_bytes():
        body += chunk
        if len(body) > longest:
            raise ValueError(f"more than {longest:,} bytes")
        if time.monotonic() > deadline:
            raise TimeoutError
    return bytes(body)
