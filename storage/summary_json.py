"""A summary as it is kept in a JSON column, and back. Summaries kept before a field was added get its default."""

from typing import Any

from pydantic import TypeAdapter

from transcription.account import Summary

_SUMMARY = TypeAdapter(Summary)


def to_json(summary: Summary) -> dict[str, Any]:
    """Plain JSON; enums by their values."""
    kept: dict[str, Any] = _SUMMARY.dump_python(summary, mode="json")
    return kept


def from_json(kept: dict[str, Any]) -> Summary:
    """The summary that :func:`to_json` kept."""
    return _SUMMARY.validate_python(kept)
