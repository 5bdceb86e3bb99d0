"""What docs/connectors.md shows works as it stands there: newcomers begin with it."""

import os
import re
import subprocess
import sys
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

from crm.connector import Change, Connector, Context, Draft, Health, Item, Note, Page, Ref, Seen, Traits, Unable
from crm.customer import Contract, Customer, Phone, Purchase
from crm.fieldmap import FieldMap
from crm.http_answers import error_of
from crm.rest_plan import RestPlan
from crm.terms import Terms
from numbering.number import Number

LOCAL = """

async def test_a_number_without_its_area_code_is_found(world):
    from numbering.identify import identify

    customer = await world.seed("王", ["8888 6666"])
    (found,) = await world.connector.find(identify("0755-88886666"))
    assert (found.id, found.phones[0].e164) == (customer, "+8675588886666")
"""
INI = "asyncio_mode = auto\nasyncio_default_fixture_loop_scope = function"
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


@pytest.mark.parametrize(("by", "passes"), [("desk", 13), ("rest", 24)])
def test_what_is_printed_keeps_the_contract(tmp_path: Path, by: str, passes: int) -> None:
    """The package found by its entry point, or the mapping file; the test as it stands; and nothing else."""
    (tmp_path / "desk.toml").write_text(block("toml", "[customer]"), encoding="utf-8")
    (tmp_path / "desk_connector.py").write_text(block("python", "# desk_connector.py"), encoding="utf-8")
    test = block("python", "# test_desk.py")
    if by == "rest":
        test = test.replace("\n# or: NAME", "\nimport tomllib\nNAME")
    (tmp_path / "test_desk.py").write_text(test + LOCAL, encoding="utf-8")
    (tmp_path / "pytest.ini").write_text(f"[pytest]\n{INI}\n", encoding="utf-8")
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
    assert int(told[1]) == passes


@pytest.mark.parametrize("method", [name for name in vars(Unable) if not name.startswith("_")])
def test_every_signature_is_printed(method: str) -> None:
    """As the protocol has it, word for word."""
    source = (ROOT / "crm" / "connector.py").read_text("utf-8").split("class Connector(Protocol):")[1]
    if method in ("name", "can", "traits"):
        assert re.search(rf"`{method}: {method.title() if method != 'name' else 'str'}`", PAGE)
        return
    found = re.search(rf"def {method}\(self(?:, )?(.*?)\) -> (.*):$", source, re.MULTILINE)
    assert found
    written = f"| `{method}({found[1]}) -> {found[2]}` |"
    assert written in PAGE.replace("\\|", "|")


def test_the_errors_of_statuses_are_as_printed() -> None:
    """For reads and for writes."""
    table = PAGE.split("| answer | error |")[1].split("\n\n")[0]
    checked = 0
    for line in table.splitlines():
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        for status in re.findall(r"\b[45]\d\d\b", cells[0].replace("503 with", "") if cells else ""):
            for writes, cell in enumerate((cells[1], cells[1] if cells[2] == "the same" else cells[2])):
                error = error_of("x", int(status), {}, "", writes=bool(writes))
                assert type(error).__name__ in cell, (status, writes)
                checked += 1
    assert checked > 2 * 14


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
