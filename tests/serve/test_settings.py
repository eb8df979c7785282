import pytest

from metier.errors import ConfigError
from metier.serve.settings import Settings, read_settings


def test_flag_beats_environment_beats_file(tmp_path, monkeypatch):
    file = tmp_path / "serve.toml"
    file.write_text("port = 1\npage = 2\nkey_cache_seconds = 3.0\n")
    monkeypatch.setenv("METIER_SERVE_CONFIG", str(file))
    monkeypatch.setenv("METIER_SERVE_PAGE", "20")
    monkeypatch.setenv("METIER_SERVE_PORT", "10")
    settings = read_settings(port=100, host=None)
    assert (settings.port, settings.page, settings.key_cache_seconds) == (100, 20, 3.0)
    assert settings.host == "127.0.0.1"


@pytest.mark.parametrize(("text", "named"), [("prot = 1", "prot"), ("port = 70000", "port"), ("port = ", "no TOML")])
def test_wrong_setting_is_named_without_its_value(tmp_path, monkeypatch, text, named):
    file = tmp_path / "serve.toml"
    file.write_text(text)
    monkeypatch.setenv("METIER_SERVE_CONFIG", str(file))
    with pytest.raises(ConfigError, match=named) as caught:
        read_settings()
    assert "70000" not in str(caught.value)


def test_shard_that_is_none_of_its_number_is_told_with_the_cure(monkeypatch):
    with pytest.raises(ConfigError, match=r"settings of metier serve: shard: there is no part 3 of 2, .* 2/2;"):
        read_settings(shard="3/2")


def test_rule_over_several_settings_names_them():
    with pytest.raises(ConfigError, match="settings of metier serve: shards need shard_secret"):
        read_settings(shard="1/2")
    with pytest.raises(ConfigError, match="leave out shard or shards"):
        read_settings(shard="1/2", shards="http://127.0.0.1:1", shard_secret="0123456789abcdef")


def test_missing_file_is_an_error(monkeypatch, tmp_path):
    monkeypatch.setenv("METIER_SERVE_CONFIG", str(tmp_path / "none.toml"))
    with pytest.raises(ConfigError, match="no file"):
        read_settings()


def test_every_setting_is_documented_in_the_code():
    assert all(field.description for field in Settings.model_fields.values())
