"""The mapping files that docs/sql.md shows: what is tried is what people copy."""

import re
import tomllib
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[2] / "docs" / "sql.md"


def mapping_of(name: str) -> dict[str, Any]:
    """The file of that name."""
    blocks = re.findall(r"^```toml\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    [found] = [block for block in blocks if block.startswith(f"# {name}")]
    return tomllib.loads(found)
