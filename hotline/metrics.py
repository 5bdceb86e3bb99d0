"""What the service counts, for ``/metrics`` (Prometheus)."""

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, Counter, Gauge, generate_latest

FACTS = Counter("hotline_facts", "Facts about calls, by kind", ["kind"])
CALLS = Counter("hotline_calls", "Calls that ended, by outcome", ["outcome"])
POPS = Counter("hotline_pops", "Cards shown")
EVENTS = Counter("hotline_ami_events", "AMI events read", ["pbx"])
LINK_UP = Gauge("hotline_ami_up", "1 while the AMI connection stands", ["pbx"])
WAITING_WRITES = Gauge("hotline_waiting_writes", "Facts not written to the database yet")
JOBS = Counter("hotline_jobs", "Jobs that ran, by kind and how they went", ["kind", "how"])


async def page(_request: web.Request) -> web.Response:
    """``GET /metrics``."""
    return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})
