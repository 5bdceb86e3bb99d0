"""Python's garbage collector, out of a pop's way.

A full collection looks at every object there is. What is there when the service begins (code, settings, pages: half a
million objects) never goes, so looking at it costs a third of a second and finds nothing; a phone that rings just then
would be shown that much later. Seen with bench/resync.py: 350 ms at the worst, 40 ms without.
"""

import gc

_THRESHOLDS = (20_000, 20, 50)  # calls make few cycles: look seldom, and at the old ones seldom of seldom


def settle() -> None:
    """Once, when everything that stays is loaded and before anybody rings: it is not looked at again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
