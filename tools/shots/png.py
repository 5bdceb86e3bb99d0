"""Small PNGs: the picture of a page with 256 colours, chosen by halving the boxes that hold most of it.

A page has few colours and their blends at the edges of letters; nobody sees the difference, and the file is a third.
"""

import struct
import zlib

import numpy as np
import numpy.typing as npt

COLOURS = 256
_DEPTH, _RGB, _RGBA = 8, 2, 6  # as the format numbers them
_SIGNATURE = b"\x89PNG\r\n\x1a\n"

Pixels = npt.NDArray[np.uint8]


def smaller(data: bytes) -> bytes:
    """The same picture with a palette: 8-bit RGB or RGBA, not interlaced, as browsers make it. ValueError else."""
    pixels = decode(data)
    height, width, _ = pixels.shape
    flat = pixels.reshape(-1, 3).astype(np.uint32)
    packed = (flat[:, 0] << 16) | (flat[:, 1] << 8) | flat[:, 2]
    colours, inverse, counts = np.unique(packed, return_inverse=True, return_counts=True)
    split = np.stack([colours >> 16 & 255, colours >> 8 & 255, colours & 255], axis=1).astype(np.int64)
    palette, of = _palette(split, counts)
    rows = of[inverse].astype(np.uint8).reshape(height, width)
    lines = np.zeros((height, width + 1), np.uint8)  # each begins with its filter: none
    lines[:, 1:] = rows
    head = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    packer = zlib.compressobj(9, zlib.DEFLATED, 15, 9)
    body = packer.compress(lines.tobytes()) + packer.flush()
    parts = ((b"IHDR", head), (b"PLTE", palette.tobytes()), (b"IDAT", body), (b"IEND", b""))
    return _SIGNATURE + b"".join(_chunk(kind, content) for kind, content in parts)


def _palette(colours: npt.NDArray[np.int64], counts: npt.NDArray[np.int64]) -> tuple[Pixels, npt.NDArray[np.int64]]:
    """At most 256 colours, and which of them stands for each: what is seen most stays as it is."""
    boxes = [np.arange(len(colours))]
    while len(boxes) < COLOURS:
        spread = [0.0 if len(box) == 1 else _weight(colours[box], counts[box]) for box in boxes]
        worst = int(np.argmax(spread))
        if spread[worst] == 0.0:
            break
        box = boxes.pop(worst)
        channel = int(np.argmax(np.ptp(colours[box], axis=0)))
        box = box[np.argsort(colours[box][:, channel], kind="stable")]
        halves = np.searchsorted(np.cumsum(counts[box]), counts[box].sum() / 2)
        cut = min(max(1, int(halves)), len(box) - 1)
        boxes += [box[:cut], box[cut:]]
    palette = np.zeros((len(boxes), 3), np.uint8)
    of = np.zeros(len(colours), np.int64)
    for at, box in enumerate(boxes):
        # The colour seen most, not the mean: a surface keeps its exact shade.
        palette[at] = colours[box[np.argmax(counts[box])]]
        of[box] = at
    return palette, of


def _weight(colours: npt.NDArray[np.int64], counts: npt.NDArray[np.int64]) -> float:
    return float(np.ptp(colours, axis=0).max()) * float(np.sqrt(counts.sum()))


def decode(data: bytes) -> Pixels:
    """Pixels of an 8-bit RGB or RGBA picture, height by width by 3. ValueError for another kind."""
    if not data.startswith(_SIGNATURE):
        raise ValueError("no PNG")
    at, body, width, height, kind = len(_SIGNATURE), b"", 0, 0, 0
    while at < len(data):
        length, name = struct.unpack(">I4s", data[at : at + 8])
        content = data[at + 8 : at + 8 + length]
        at += 12 + length
        if name == b"IHDR":
            width, height, depth, kind, _, _, interlaced = struct.unpack(">IIBBBBB", content)
            if depth != _DEPTH or kind not in (_RGB, _RGBA) or interlaced:
                raise ValueError("another kind of PNG")
        elif name == b"IDAT":
            body += content
    channels = 3 if kind == _RGB else 4
    raw = np.frombuffer(zlib.decompress(body), np.uint8).reshape(height, 1 + width * channels)
    return _unfiltered(raw, width, channels)[:, :, :3]


def _unfiltered(raw: Pixels, width: int, channels: int) -> Pixels:
    out = np.zeros((len(raw), width, channels), np.uint8)
    above = np.zeros((width, channels), np.uint8)
    for y, line in enumerate(raw):
        row = line[1:].reshape(width, channels)
        match line[0]:
            case 0:
                done = row
            case 1:  # Sub: each is the difference to its left, so sums modulo 256
                done = np.cumsum(row, axis=0, dtype=np.uint8)
            case 2:
                done = row + above
            case 3:
                done = _average(row, above)
            case _:
                done = _paeth(row, above)
        out[y] = above = done
    return out


def _average(row: Pixels, above: Pixels) -> Pixels:
    done, left = np.zeros_like(row), np.zeros(row.shape[1], np.int64)
    for x in range(len(row)):
        left = (row[x] + (left + above[x]) // 2) & 255
        done[x] = left
    return done


def _paeth(row: Pixels, above: Pixels) -> Pixels:
    columns = []
    for told, up in zip(row.T.tolist(), above.T.tolist(), strict=True):
        left = corner = 0
        done = []
        for x, b in zip(told, up, strict=True):
            guess = left + b - corner
            pa, pb, pc = abs(guess - left), abs(guess - b), abs(guess - corner)
            near = left if pa <= pb and pa <= pc else b if pb <= pc else corner
            left, corner = (x + near) & 255, b
            done.append(left)
        columns.append(done)
    return np.array(columns, np.uint8).T


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
