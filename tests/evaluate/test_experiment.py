from pathlib import Path

import pytest

from metier.errors import ConfigError
from metier.evaluate.experiment import Experiment, default_protocol
from metier.testing.worlds import checkerboard, small_town

EXAMPLE = Path(__file__).parents[2] / "examples" / "experiment.toml"


def write(folder: Path, text: str) -> Path:
    path = folder / "one.toml"
    path.write_text(text)
    return path


def test_the_example_is_valid_and_its_settings_are_accepted() -> None:
    from metier.models.registry import config_class

    experiment = Experiment.read(EXAMPLE)
    assert any(entry.model not in (None, label) for label, entry in experiment.models.items())
    for label, entry in experiment.models.items():
        config_class(entry.model or label)(**entry.settings)


def test_toml_round_trip() -> None:
    experiment = Experiment.read(EXAMPLE)
    import tomllib

    assert Experiment.check(tomllib.loads(experiment.toml()), "again") == experiment


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("dataset = 'x'\nprotocol = 'random'\n[models.a]", "protocol"),
        ("dataset = 'x'\nprotocol = 'given'", "models"),
        ("dataset = 'x'\nprotocol = 'given'\nspeed = 1\n[models.a]", "speed"),
        ("dataset = 'x'\nprotocol = 'given'\nk = 0\n[models.a]", "k: "),
        ("dataset = 'x'\nprotocol = 'given'\n[models.'../up']", "up"),
        ("dataset = 'x'\nprotocol = 'given'\n[models.a]\nembedding_size = 3", "models.a.embedding_size"),
        ("dataset = 'x'\nprotocol = 'given'\nsegments = ['old']\n[models.a]", "segments"),
        ("dataset = ", "not TOML"),
    ],
)
def test_a_wrong_file_is_named_with_its_key(tmp_path: Path, text: str, named: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        Experiment.read(path)
    assert str(path) in str(caught.value)
    assert named in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.toml: No such file"):
        Experiment.read(tmp_path / "none.toml")


def test_the_command_repeats_it() -> None:
    plain = {"dataset": "d", "protocol": "given", "models": {"random": {}, "popularity": {}}}
    experiment = Experiment.check(plain, "here")
    assert experiment.command == "metier evaluate d --protocol given --models random,popularity -k 25 --seed 0"
    changed = Experiment.check(plain | {"models": {"rp3beta": {"settings": {"beta": 0.2}}}}, "here")
    assert changed.command.endswith("--set rp3beta.beta=0.2")
    worded = Experiment.check(plain | {"models": {"content": {"settings": {"encoder": "embedding"}}}}, "here")
    assert worded.command.endswith("""--set 'content.encoder="embedding"'""")
    renamed = Experiment.check(plain | {"models": {"mine": {"model": "random"}}}, "here")
    assert renamed.command == "metier evaluate --experiment experiment.toml"


def test_default_protocol_follows_the_data() -> None:
    assert default_protocol(small_town()) == "temporal"
    assert default_protocol(checkerboard()) == "given"
    town = small_town()
    assert default_protocol(town.replace(windows=town.windows.clear())) == "leave-last-out"


def test_a_setting_of_null_can_be_repeated() -> None:
    given = {"popularity": {"settings": {"half_life_days": None}}}
    experiment = Experiment.check({"dataset": "d", "protocol": "given", "models": given}, "test")
    assert "half_life_days" not in experiment.toml()
