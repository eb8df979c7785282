"""What deploy/ starts is what the command has: options, settings, paths and ports."""

import configparser
import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
import typer
import yaml

from metier.cli.app import app
from metier.serve.settings import PREFIX, Settings

REPOSITORY = Path(__file__).parents[2]
DEPLOY = REPOSITORY / "deploy"
HOME = "/var/lib/metier"


def instructions():
    """(stage, instruction, arguments) of the Dockerfile; a line that ends in a backslash goes on."""
    text = re.sub(r"^#.*\n", "", (DEPLOY / "Dockerfile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    stage = 0
    for line in re.sub(r"\\\n\s*", " ", text).splitlines():
        if line.strip():
            name, _, arguments = line.partition(" ")
            stage += name == "FROM"
            yield stage, name, arguments.strip()


def of(name, stage=2):
    return [arguments for at, instruction, arguments in instructions() if (at, instruction) == (stage, name)]


def environment():
    return dict(pair.split("=", 1) for arguments in of("ENV") for pair in shlex.split(arguments))


def unit():
    """Section -> key -> values of the systemd unit, in which a key may come more than once."""
    found: dict[str, dict[str, list[str]]] = {}
    for line in (DEPLOY / "metier.service").read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            section = found.setdefault(line.strip("[]"), {})
        elif line and not line.startswith("#"):
            key, _, value = line.partition("=")
            section.setdefault(key, []).append(value)
    return found


def parsed(arguments):
    """The options of a command line, by the real command; an option that does not exist is an error."""
    name, *rest = arguments
    command = typer.main.get_command(app).commands[name]
    return command.make_context(name, rest).params


def check_settings(values):
    """Every METIER_SERVE_ name is a setting, and its value one that it takes."""
    names = {name.removeprefix(PREFIX).lower(): value for name, value in values.items() if name.startswith(PREFIX)}
    assert set(names) <= set(Settings.model_fields) | {"config"}
    Settings(**names)
    others = {name for name in values if name.startswith("METIER_") and not name.startswith(PREFIX)}
    assert others <= {"METIER_HOME"}


def test_the_image_is_built_from_what_is_there():
    sources = [path for arguments in of("COPY", 1) for path in arguments.split()[:-1]]
    assert {"pyproject.toml", "constraints.txt", "src", "README.md"} <= set(sources)
    assert all((REPOSITORY / path).exists() for path in sources)
    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    assert ignored[0] == "**"
    assert set(sources) == {line[1:] for line in ignored if line.startswith("!")}


def test_the_image_holds_the_tested_versions_and_no_tools_to_build():
    [install] = [arguments for arguments in of("RUN", 1) if "pip install" in arguments]
    assert "PIP_CONSTRAINT=/source/constraints.txt" in install
    assert len([1 for _, name, _ in instructions() if name == "FROM"]) == 2
    assert not [arguments for arguments in of("RUN") if "pip" in arguments]
    assert of("COPY") == ["--from=build /opt/metier /opt/metier"]


def test_the_image_runs_as_nobody_special_in_a_home_of_its_own():
    [user] = of("USER")
    assert int(user) > 0
    [made] = [arguments for arguments in of("RUN") if "useradd" in arguments]
    assert f"--uid {user}" in made
    assert f"--mode=0700 {HOME}" in made
    assert of("VOLUME") == [HOME]
    assert environment()["METIER_HOME"] == HOME


def test_the_image_starts_the_command():
    [entry], [command] = of("ENTRYPOINT"), of("CMD")
    assert json.loads(entry) == ["metier"]
    parsed(json.loads(command))
    check_settings(environment())
    assert of("EXPOSE") == [environment()[f"{PREFIX}PORT"]]
    [check] = of("HEALTHCHECK")
    assert f"http://127.0.0.1:{environment()[f'{PREFIX}PORT']}/health/ready" in check


def test_health_is_where_the_image_looks_for_it():
    from metier.serve.app import openapi

    assert "/health/ready" in openapi()["paths"]


def test_the_services_fit_together():
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))["services"]
    service, database = services["metier"], services["database"]
    folder = DEPLOY / service["build"]["context"]
    assert (folder / service["build"]["dockerfile"]).resolve() == DEPLOY / "Dockerfile"
    check_settings(service["environment"])
    url = service["environment"][f"{PREFIX}DATABASE"]
    secret = database["environment"]["POSTGRES_PASSWORD"]
    user, name = (database["environment"][f"POSTGRES_{one}"] for one in ("USER", "DB"))
    assert url == f"postgresql://{user}:{secret}@database/{name}"
    assert secret.startswith("${METIER_DATABASE_PASSWORD:?")  # no password is ever made up
    assert [volume.split(":")[1] for volume in service["volumes"]] == [HOME]
    [port] = service["ports"]
    assert port == f"127.0.0.1:8000:{environment()[f'{PREFIX}PORT']}"  # only this machine; a proxy goes in front
    assert service["depends_on"]["database"]["condition"] == "service_healthy"
    assert {"pg_isready", "--host=127.0.0.1"} <= set(database["healthcheck"]["test"])
    assert service["env_file"] == [{"path": "metier.env", "required": False}]
    assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])


def test_the_unit_starts_the_command_in_folders_that_it_may_write():
    service = unit()["Service"]
    [start] = service["ExecStart"]
    program, *arguments = shlex.split(start)
    assert program == "/opt/metier/bin/metier"
    assert str(parsed(arguments)["home"]) == HOME
    values = dict(pair.split("=", 1) for pair in service["Environment"])
    check_settings(values)
    assert values["METIER_HOME"] == HOME == f"/var/lib/{service['StateDirectory'][0]}"
    assert values["NUMBA_CACHE_DIR"] == f"/var/cache/{service['CacheDirectory'][0]}"
    assert service["StateDirectoryMode"] == ["0700"]
    assert int(service["TimeoutStopSec"][0]) > 30


def test_the_unit_is_hardened():
    service = unit()["Service"]
    on = {
        "NoNewPrivileges", "ProtectHome", "PrivateTmp", "PrivateDevices", "ProtectControlGroups", "ProtectKernelLogs",
        "ProtectKernelModules", "ProtectKernelTunables", "LockPersonality", "RestrictNamespaces", "RestrictSUIDSGID",
    }  # fmt: skip
    assert {key for key in on if service.get(key) == ["yes"]} == on
    assert service["ProtectSystem"] == ["strict"]
    assert service["CapabilityBoundingSet"] == [""]
    assert service["User"] != ["root"]
    assert "MemoryDenyWriteExecute" not in service  # compiled kernels need it


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd_takes_the_unit(tmp_path):
    """Paths of the program apart, which is not installed here."""
    text = (DEPLOY / "metier.service").read_text(encoding="utf-8").replace("/opt/metier/bin/metier", "/bin/true")
    (tmp_path / "metier.service").write_text(text)
    ran = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", tmp_path / "metier.service"], capture_output=True, text=True
    )
    assert "metier.service" not in ran.stderr, ran.stderr


def test_a_configuration_of_the_unit_is_read_by_any_parser():
    """No line is broken in a way that only our own reading forgives."""
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str
    parser.read(DEPLOY / "metier.service")
    assert set(parser.sections()) == {"Unit", "Service", "Install"}


@pytest.mark.parametrize("name", ["Dockerfile", "compose.yaml", "metier.service"])
def test_every_file_is_explained(name):
    assert f"deploy/{name}" in (REPOSITORY / "docs" / "how-to" / "operate.md").read_text(encoding="utf-8")


def test_nginx_takes_bodies_as_large_as_the_service_and_hides_what_each_process_counts():
    """What it does with requests is in tests/serve/test_behind_nginx.py."""
    text = (DEPLOY / "nginx.conf").read_text(encoding="utf-8")
    [most] = re.findall(r"client_max_body_size (\d+)m;", text)
    assert int(most) * 2**20 >= Settings().bulk_bytes
    assert "location = /metrics { return 404; }" in text
    assert "deploy/nginx.conf" in (REPOSITORY / "docs" / "how-to" / "serve-beyond-one-machine.md").read_text("utf-8")
