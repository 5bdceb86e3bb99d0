"""The service as bench/desk.py measures it, on a database that was filled before.

    desk_service.py AMI_PORT DATABASE_URL DESKS ; prints {"url": ..., "tokens": {login: token}}

Logs in as many agents as there are desks (``desk0`` at 1000, ``desk1`` at 1001...), and :data:`OTHERS`.
"""

import asyncio
import json
import secrets
import sys
from pathlib import Path

from aiohttp import web

from hotline import logs
from hotline.app import Service
from hotline.clock import now
from hotline.settings import DatabaseSettings, Settings
from hotline.telephony_settings import Agent, Line, Pbx, Recordings
from storage.accounts import Accounts

SHIFT = 3600.0
FIRST = 1000  # the first extension
OTHERS = (("boss", "supervisor", None), ("root", "admin", None), ("revision", "auditor", None))


async def main(ami_port: int, url: str, desks: int) -> None:
    """Serve until killed."""
    logs.configure()
    settings = Settings(
        pbx=(Pbx(name="hq", port=ami_port, user="bench", trunks=("PJSIP/carrier",)),),
        line=(Line(number="4007002505", name="售后", record=False),),
        agent=tuple(Agent(extension=str(FIRST + n)) for n in range(desks)),
        recordings=Recordings(root=Path("/nonexistent")),
        database=DatabaseSettings(url=url),
    )
    service = Service(settings, now, {"hq": "bench"})
    runner = web.AppRunner(service.build(), access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    accounts = Accounts(service.db)
    people = [(f"desk{n}", "agent", str(FIRST + n)) for n in range(desks)]
    tokens = {}
    for login, role, extension in [*people, *OTHERS]:
        user = await accounts.find(login) or await accounts.add(
            login, name=login, role=role, password=secrets.token_hex(), now=now(), extension=extension
        )
        tokens[login] = await accounts.log_in(user, now(), SHIFT)
    sys.stdout.write(json.dumps({"url": f"http://127.0.0.1:{runner.addresses[0][1]}", "tokens": tokens}) + "\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
