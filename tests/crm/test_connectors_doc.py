"""What docs/connectors.md shows works as it stands there: newcomers begin with it."""

import os
import re
import subprocess
import sys
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

from crm.connector import Change, Connector, Context, Draft, Health, Item, Note, Page, Ref, Seen, Traits
from crm.customer import Contract, Customer, Phone, Purchase
from crm.fieldmap import FieldMap
from crm.rest_plan import RestPlan
from crm.terms import Terms
from numbering.number import Number

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "connectors.md").read_text("utf-8")
BLOCKS: list[tuple[str, str]] = re.findall(r"^```(\w+)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def block(language: str, begins: str) -> str:
    """The one block that begins so."""
    (found,) = [text for its, text in BLOCKS if its == language and text.startswith(begins)]
    return found


def test_the_mapping_file_is_sound() -> None:
    """With what is shown of errors inside a 200."""
    shown = tomllib.loads(block("toml", "[customer]"))
    error = tomllib.loads(block("toml", "[rest.error]"))["rest"]
    FieldMap.read(shown, own=("rest",))
    assert RestPlan.read({**shown["rest"], **error}).error is not None


def test_the_connector_is_found_by_its_entry_point_and_keeps_the_contract(tmp_path: Path) -> None:
    """The package, its test and nothing else."""
    (tmp_path / "desk_connector.py").write_text(block("python", "# desk_connector.py"), encoding="utf-8")
    (tmp_path / "test_desk.py").write_text(block("python", "# test_desk.py"), encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\nasyncio_mode = auto\n", encoding="utf-8")
    info = tmp_path / "desk-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: desk\nVersion: 1.0\n", encoding="utf-8")
    (group, points), *_ = tomllib.loads(block("toml", '[project.entry-points."hotline.connectors"]'))["project"][
        "entry-points"
    ].items()
    lines = "".join(f"{name} = {value}\n" for name, value in points.items())
    (info / "entry_points.txt").write_text(f"[{group}]\n{lines}", encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}{os.pathsep}{ROOT}/tests/crm"}
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        str(tmp_path),
        "test_desk.py",
    ]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    told = re.search(r"(\d+) passed, (\d+) skipped", done.stdout)
    assert told, done.stdout
    assert int(told[1]) >= 9


@pytest.mark.parametrize("name", ["NotShownError", "CHECKS", "PlainWorld", "Wire"])
def test_the_kit_has_what_is_named(name: str) -> None:
    """And the page names it."""
    assert hasattr(__import__("crm.kit", fromlist=[name]), name)
    assert name in PAGE


NOUNS = [
    Customer,
    Phone,
    Purchase,
    Contract,
    Number,
    Terms,
    Context,
    Ref,
    Item,
    Note,
    Draft,
    Seen,
    Page,
    Change,
    Health,
    Traits,
]


@pytest.mark.parametrize("noun", NOUNS, ids=lambda noun: str(noun.__name__))
def test_every_field_of_a_noun_is_named(noun: type) -> None:
    """A field that is added is told to newcomers, too."""
    section = PAGE.split("### The nouns")[1].split("### Errors")[0]
    (row,) = [
        line for line in section.splitlines() if line.startswith("|") and f"{noun.__name__}" in line.split("|")[1]
    ]
    for field in fields(noun):
        if field.name != "region":  # a hint for people, of no use in a search
            assert re.search(rf"\b{field.name}\b", row), f"{noun.__name__}.{field.name}"


@pytest.mark.parametrize("method", [name for name in vars(Connector) if not name.startswith("_")])
def test_every_method_is_told(method: str) -> None:
    """What each owes."""
    assert re.search(rf"`{method}\b", PAGE), method
