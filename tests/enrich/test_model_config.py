"""Settings of a language model: what is refused, and that no key is kept or shown."""

import pytest
from pydantic import ValidationError

from metier.enrich.model_config import LanguageModelConfig
from metier.errors import ConfigError


def config(**settings) -> LanguageModelConfig:
    return LanguageModelConfig(**{"base_url": "http://127.0.0.1:1/v1", "model": "m", **settings})


def test_every_setting_is_explained():
    fields = LanguageModelConfig.model_json_schema()["properties"]
    assert all(field.get("description") for field in fields.values()), fields


@pytest.mark.parametrize(
    "url",
    [
        "ftp://host/v1",
        "host/v1",
        "http://",
        "https://user:secret@host/v1",
        "https://host/v1?key=secret",
        "https://h/#x",
    ],
)
def test_urls_that_are_no_base_or_would_carry_a_secret(url):
    with pytest.raises(ValidationError):
        config(base_url=url)


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("http://127.0.0.1:8000/v1", True),
        ("http://127.8.8.8/v1", True),
        ("http://[::1]:80/v1", True),
        ("http://localhost/v1", True),
        ("http://localhost.example.com/v1", False),
        ("http://10.0.0.1/v1", False),
        ("https://api.example.com/v1", False),
    ],
)
def test_a_key_goes_in_clear_only_to_this_machine(url, local):
    assert config(base_url=url).is_local == local
    if local or url.startswith("https"):
        config(base_url=url, api_key_env="A_KEY")
    else:
        with pytest.raises(ConfigError, match="in clear"):
            config(base_url=url, api_key_env="A_KEY")


def test_the_key_is_read_from_the_environment_and_never_kept(monkeypatch):
    settings = config(api_key_env="A_KEY")
    monkeypatch.setenv("A_KEY", " canary-key\n")
    assert settings.api_key().get_secret_value() == "canary-key"
    assert "canary" not in f"{settings!r} {settings.model_dump_json()} {settings.api_key()!r}"
    monkeypatch.setenv("A_KEY", "canary\nkey")
    with pytest.raises(ConfigError, match="A_KEY") as caught:
        settings.api_key()
    assert "canary" not in str(caught.value)
    monkeypatch.delenv("A_KEY")
    with pytest.raises(ConfigError, match="A_KEY"):
        settings.api_key()
    assert config().api_key() is None


def test_a_budget_in_money_needs_a_price():
    with pytest.raises(ConfigError, match="budget_cost"):
        config(budget_cost=1.0)
    config(budget_cost=1.0, output_price=2.0)


def test_a_file_is_read_and_its_faults_are_named_without_their_values(tmp_path):
    file = tmp_path / "llm.toml"
    file.write_text('base_url = "http://localhost:1/v1/"\nmodel = "m"\nattempts = 2\n')
    assert LanguageModelConfig.load(file) == config(base_url="http://localhost:1/v1", attempts=2)
    file.write_text('base_url = "http://localhost:1/v1"\nmodel = "m"\ntemperature = "none"\n')
    assert LanguageModelConfig.load(file).temperature is None
    file.write_text('base_url = "http://localhost:1/v1"\nmodel = "m"\nattempts = 6\napi_key = "canary"\n')
    with pytest.raises(ConfigError, match="attempts") as caught:
        LanguageModelConfig.load(file)
    assert "api_key" in str(caught.value)
    assert "canary" not in str(caught.value)
    file.write_text("model =")
    with pytest.raises(ConfigError, match="TOML"):
        LanguageModelConfig.load(file)
    with pytest.raises(ConfigError, match="no file"):
        LanguageModelConfig.load(tmp_path / "none.toml")
