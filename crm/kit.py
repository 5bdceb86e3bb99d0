"""The contract of a connector, to be run against yours: ten lines of pytest (docs/connectors.md).

:data:`CHECKS` are its sentences, :class:`crm.kit_world.World` is what they need of your test.
"""

from crm.kit_finding import CHECKS as FINDING
from crm.kit_survey import CHECKS as SURVEY
from crm.kit_wire import Wire
from crm.kit_world import Check, Fresh, NotShownError, PlainWorld, World
from crm.kit_writing import CHECKS as WRITING

__all__ = ["CHECKS", "Check", "Fresh", "NotShownError", "PlainWorld", "Wire", "World"]

CHECKS: tuple[Check, ...] = (*FINDING, *WRITING, *SURVEY)
