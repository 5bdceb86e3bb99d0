"""What the browser loads: ours, vendored with its licence, kept for ever under a name that changes with it."""

import gzip
import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from screenpop.assets import ROOT, Assets

if TYPE_CHECKING:
    from tests.screenpop.conftest import Visit

VENDOR = ROOT / "vendor"
LICENCES = {  # what only that one says
    "MIT": "Permission is hereby granted, free of charge, to any person obtaining a copy",
    "0BSD": "Permission to use, copy, modify, and/or distribute this software for any purpose",
    "BSD-3-Clause": "Neither the name of the copyright holder nor the names of its contributors",
    "MPL-2.0": "Mozilla Public License, version 2.0",
    "Apache-2.0": "Apache License Version 2.0",
}
LARGEST_PAGE = 400 * 1024  # gzipped, with everything it loads


@pytest.mark.parametrize("listing", [VENDOR / "VENDORED.md", Path(__file__).parents[1] / "vendor" / "README.md"])
def test_vendored_files_are_what_their_list_says(listing: Path) -> None:
    """Each file is listed with its sum, each package has the licence that is named, and nothing else lies there."""
    folder = listing.parent
    rows = re.findall(r"\| ([\w.-]+) \(`([^`]+)`\) \| `([^`]+)` \| ([0-9a-f]{64}) \|", listing.read_text("utf-8"))
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert files == {listing.name, *(licence for _, licence, _, _ in rows), *(name for _, _, name, _ in rows)}
    for kind, licence, name, digest in rows:
        assert licence.partition("/")[0] == name.partition("/")[0]
        assert LICENCES[kind] in " ".join((folder / licence).read_text("utf-8").split()), licence
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest, name


def test_nothing_of_ours_names_another_host() -> None:
    """No address in our scripts and styles but the names of XML's own kinds."""
    for path in ROOT.rglob("*"):
        if path.is_file() and VENDOR not in path.parents and path.suffix in {".js", ".css", ".svg"}:
            hosts = set(re.findall(r"https?://[^\s\"')]+", path.read_text("utf-8")))
            assert hosts <= {"http://www.w3.org/2000/svg"}, path


async def test_a_file_is_kept_for_ever_under_its_own_name(visit: "Visit") -> None:
    """Compressed, immutable; the address of an older version still gives a file, unkept."""
    visitor = await visit(None)
    assets = Assets()
    url = assets.url("css/hotline.css")
    answer = await visitor.get(url)
    assert answer.headers["Content-Type"] == "text/css; charset=utf-8"
    assert answer.headers["Cache-Control"].endswith("immutable")
    assert answer.headers["Content-Encoding"] == "gzip"
    assert await answer.text() == (ROOT / "css/hotline.css").read_text("utf-8")
    old = await visitor.get(url.replace(assets.version, "000000000000"), headers={"Accept-Encoding": "identity"})
    assert (old.status, old.headers["Cache-Control"]) == (200, "no-cache")
    assert "Content-Encoding" not in old.headers


@pytest.mark.parametrize(
    "name", ["../deps.py", "%2e%2e/deps.py", "vendor/VENDORED.md", "vendor/tabler-core-1.6.1/LICENSE", "css", "x.css"]
)
async def test_nothing_else_is_served(name: str, visit: "Visit") -> None:
    """Only what was there at the start and has a use in a browser."""
    from yarl import URL  # noqa: PLC0415

    visitor = await visit(None)
    url = visitor.client.make_url("/").join(URL(f"/static/{Assets().version}/{name}", encoded=True))
    assert (await visitor.client.session.get(url, allow_redirects=False)).status == 404


def test_the_version_follows_what_is_in_the_files(tmp_path: Path) -> None:
    """One changed byte is another address."""
    (tmp_path / "a.css").write_text("a{}")
    first = Assets(tmp_path)
    (tmp_path / "a.css").write_text("b{}")
    assert Assets(tmp_path).url("a.css") != first.url("a.css")
    with pytest.raises(KeyError):
        first.url("b.css")


async def test_no_page_is_heavy(visit: "Visit") -> None:
    """Everything a desk loads, compressed as it travels."""
    files = sum(len(gzip.compress(path.read_bytes())) for path in ROOT.rglob("*") if path.is_file())
    page = await (await visit("li")).text("/desk")
    assert files + len(gzip.compress(page.encode())) < LARGEST_PAGE
