"""What the service counts, for ``/metrics`` (Prometheus)."""

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, Counter, Gauge, Histogram, generate_latest

FACTS = Counter("hotline_facts", "Facts about calls, by kind", ["kind"])
CALLS = Counter("hotline_calls", "Calls that ended, by outcome", ["outcome"])
POPS = Counter("hotline_pops", "Cards shown")
EVENTS = Counter("hotline_ami_events", "AMI events read", ["pbx"])
LINK_UP = Gauge("hotline_ami_up", "1 while the AMI connection stands", ["pbx"])
WAITING_WRITES = Gauge("hotline_waiting_writes", "Facts not written to the database yet")
ROUTES = Counter("hotline_routes", "Answers to the dialplan, by reason", ["reason"])
ROUTE_SECONDS = Histogram(
    "hotline_route_seconds", "How long the dialplan waited", buckets=(0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.3, 0.5)
)
JOBS = Counter("hotline_jobs", "Jobs that ran, by kind and how they went", ["kind", "how"])


async def page(request: web.Request) -> web.Response:
    """``GET /metrics``: to this machine only, and not through a proxy, as it asks nobody to log in."""
    if request.remote not in ("127.0.0.1", "::1") or "X-Forwarded-For" in request.headers:
        raise web.HTTPForbidden(text="metrics are served to this machine only")
    return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})
