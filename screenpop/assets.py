"""The files the browser loads: read once, compressed once, named by what is in them.

They live below ``/static/<hash>/``, so a browser keeps them for ever and a new version is a new address. Nothing but
what was there at the start can be served: there is no path to resolve.
"""

import gzip
import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from aiohttp import web
from aiohttp.hdrs import ACCEPT_ENCODING

ROOT = Path(__file__).parent / "static"
KINDS = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".woff2": "font/woff2",
}
FOR_EVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class _File:
    kind: str
    plain: bytes
    packed: bytes


@lru_cache(maxsize=256)
def _packed(plain: bytes) -> bytes:
    """Once for all applications of a process: tests make hundreds."""
    return gzip.compress(plain, 9, mtime=0)


class Assets:
    """All files below a folder that a browser has a use for (:data:`KINDS`)."""

    def __init__(self, root: Path = ROOT) -> None:
        self._files: dict[str, _File] = {}
        digest = hashlib.sha256()
        for path in sorted(root.rglob("*")):
            if path.suffix not in KINDS or not path.is_file():
                continue
            name, plain = path.relative_to(root).as_posix(), path.read_bytes()
            digest.update(name.encode() + b"\0" + hashlib.sha256(plain).digest())
            self._files[name] = _File(KINDS[path.suffix], plain, _packed(plain))
        self.version = digest.hexdigest()[:12]

    def url(self, name: str) -> str:
        """The address of a file; KeyError when there is no such file, so a misspelt template fails its test."""
        self._files[name]
        return f"/static/{self.version}/{name}"

    async def serve(self, request: web.Request) -> web.Response:
        """``GET /static/{version}/{name}``. An old page's old version gets today's file, unkept."""
        file = self._files.get(request.match_info["name"])
        if file is None:
            raise web.HTTPNotFound
        headers = {
            "Content-Type": file.kind,
            "Vary": ACCEPT_ENCODING,
            "Cache-Control": FOR_EVER if request.match_info["version"] == self.version else "no-cache",
        }
        if "gzip" in request.headers.get(ACCEPT_ENCODING, ""):
            return web.Response(body=file.packed, headers={**headers, "Content-Encoding": "gzip"})
        return web.Response(body=file.plain, headers=headers)
