"""What a speech model's folder must hold, by kind. Looks at names and sizes only; loading is the worker's."""

import json
from enum import StrEnum
from pathlib import Path


class Kind(StrEnum):
    """The engine that reads the folder."""

    VOSK = "vosk"
    WHISPER = "whisper"


_VOSK = (  # each need: the places that fulfil it, today's layout first, the old flat one after it
    (("am/final.mdl",), ("final.mdl",)),
    (("conf/mfcc.conf",), ("mfcc.conf",)),
    (("graph/HCLG.fst",), ("graph/HCLr.fst", "graph/Gr.fst"), ("HCLG.fst",), ("HCLr.fst", "Gr.fst")),
    (("graph/phones/word_boundary.int",), ("word_boundary.int",)),
)
_IVECTOR = ("final.dubm", "final.ie", "final.mat", "global_cmvn.stats", "online_cmvn.conf", "splice.conf")
_WHISPER = (
    (("model.bin",),),
    (("config.json",),),
    (("tokenizer.json",),),  # without it faster-whisper asks a model hub
    (("vocabulary.txt",), ("vocabulary.json",)),
)
_SMALL = {"final.mdl": 100_000, "model.bin": 1_000_000, "HCLG.fst": 10_000, "HCLr.fst": 10_000, "Gr.fst": 10_000}


def kind_of(folder: Path) -> Kind | None:
    """Whose model this is, by its main file; None when it is nobody's."""
    if any((folder / name).is_file() for name in ("am/final.mdl", "final.mdl")):
        return Kind.VOSK
    return Kind.WHISPER if (folder / "model.bin").is_file() else None


def faults(folder: Path, kind: Kind) -> list[str]:
    """What is missing, empty or far too small in the folder; empty when it looks whole."""
    if not folder.is_dir():
        return ["there is no such folder"]
    needs = _VOSK if kind is Kind.VOSK else _WHISPER
    found = [fault for choices in needs if (fault := _unmet(folder, choices))]
    if kind is Kind.VOSK and (folder / "ivector").is_dir():
        found += [fault for name in _IVECTOR if (fault := _fault(folder / "ivector" / name, f"ivector/{name}"))]
    if kind is Kind.WHISPER:
        found += _bad_json(folder)
    return found


def _unmet(folder: Path, choices: tuple[tuple[str, ...], ...]) -> str:
    """Why none of the choices is there; '' when one is."""
    for names in choices:
        if (folder / names[0]).exists() or names == choices[-1]:
            chosen = names if (folder / names[0]).exists() else choices[0]
            return "; ".join(fault for name in chosen if (fault := _fault(folder / name, name)))
    return ""


def _fault(file: Path, name: str) -> str:
    if not file.is_file():
        return f"{name} is missing"
    size = file.stat().st_size
    least = _SMALL.get(file.name, 1)
    return "" if size >= least else f"{name} has {size} bytes, which cannot be all of it"


def _bad_json(folder: Path) -> list[str]:
    bad = []
    for name in ("config.json", "tokenizer.json"):
        file = folder / name
        if file.is_file():
            try:
                json.loads(file.read_bytes())
            except ValueError:
                bad.append(f"{name} is cut off or damaged")
    return bad
