"""How the service logs: one line an event on stderr, JSON where no person is looking; Chinese stays readable."""

import json
import logging
import sys
from typing import Any

import structlog


def configure(*, machine: bool | None = None, level: int = logging.INFO) -> None:
    """Set up structlog; ``machine`` forces JSON (default: when stderr is no terminal)."""
    as_json = not sys.stderr.isatty() if machine is None else machine
    renderer: Any = (
        structlog.processors.JSONRenderer(serializer=_dumps) if as_json else structlog.dev.ConsoleRenderer(colors=True)
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=False),
            structlog.processors.StackInfoRenderer(),
            *([structlog.processors.format_exc_info] if as_json else []),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),  # whatever stderr is by then
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")


def _dumps(value: Any, **options: Any) -> str:
    return json.dumps(value, ensure_ascii=False, **options)
