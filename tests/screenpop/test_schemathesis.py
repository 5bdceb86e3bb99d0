"""Schemathesis against the API's document, as each role and as a program: whatever it sends, no answer is unforeseen.

A few examples an operation by default, the same ones every time; with ``--long`` hundreds, other ones every time.
"""

import asyncio
import copy
import itertools
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Any

import pytest
import requests
import schemathesis
from aiohttp.test_utils import TestServer
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from screenpop.meter import Rate
from screenpop.openapi import document
from screenpop.routes import ROUTES
from tests.screenpop.conftest import PASSWORD
from tests.screenpop.planted import SECRETS, Planted, plant, token_for

if TYPE_CHECKING:
    from tests.screenpop.conftest import House

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
ROLES = ("li", "zhao", "root", "shen")
PROGRAM = "a program of li's"
AGENTS = ("li", PROGRAM)
FEW = 10
SPARE = 5  # logins of li's to be ended, the first there are: not the ones that ask
UNSENT = {"GET /calls/{key}/audio/{recording}/{leg}"}  # sound: nothing to hold against a schema, and audited
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


def with_real_things(planted: Planted) -> Any:
    """The document, knowing which calls and tickets there are: else nearly every guess would be a 404."""
    told = copy.deepcopy(document(ROUTES))
    known = {
        "key": [*map(str, planted.calls.values()), "main:1.1"],
        "id": [*planted.tickets.values(), 999_999],
        "customer": ["c-li", "c-wang", "none"],
        "session": [*range(1, SPARE + 1), 999_999],
    }
    for methods in told["paths"].values():
        for operation in methods.values():
            for place in operation["parameters"]:
                if place["in"] == "path" and place["name"] in known:
                    place["schema"]["enum"] = known[place["name"]]
    return schemathesis.openapi.from_dict(told)


def ask_everything(schema: Any, url: str, people: dict[str, requests.Session], examples: int) -> tuple[int, set[str]]:
    """Each operation, with what fits the document and what does not: as the agents, and as the others, one at a time.

    How many answers there were, and which operations did something.
    """
    answers, done = 0, set()
    above = itertools.cycle([who for who in people if who not in AGENTS]) if examples < FEW else None
    for found in schema.get_all_operations():
        operation = found.ok()
        if operation.label in UNSENT:
            continue
        for mode in GenerationMode:

            @settings(
                max_examples=examples if mode is GenerationMode.POSITIVE else max(1, examples // 2),
                derandomize=examples < FEW,
                database=None,
                deadline=None,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            )
            @given(case=operation.as_strategy(generation_mode=mode))
            def one(case: Any) -> None:
                nonlocal answers
                for who in people if above is None else (*AGENTS, next(above)):
                    answer = case.call(base_url=url, session=people[who])
                    case.validate_response(answer, checks=CHECKS)
                    others = who in AGENTS and "/tickets/" not in case.path  # whoever is led to a ticket may open it
                    assert not others or SECRETS["wang"] not in answer.text, (who, answer.request.url)
                    answers += 1
                    if answer.status_code < 300:
                        done.add(case.operation.label)

            with suppress(Unsatisfiable):  # an operation that takes nothing cannot be asked wrongly
                one()
    return answers, done


async def test_whatever_is_sent(house: "House", request: pytest.FixtureRequest) -> None:
    """No 500, no answer that the document does not foresee, and for agents nothing of a colleague's."""
    planted = await plant(house)
    tokens = [await token_for(house, "li") for _ in range(5)]
    token = tokens[-1]  # not one whose id is a ticket's: li's own requests end that one
    server = TestServer(house.app(rate=Rate(1e9, 10**9)))
    await server.start_server()
    url = str(server.make_url("")).rstrip("/")
    examples = 100 if request.config.getoption("--long") else 2
    schema = with_real_things(planted)

    def log_in(login: str, session: requests.Session) -> None:
        session.headers.update({"Origin": url, "Accept": "application/json"})
        sent = {"login": login, "password": PASSWORD}
        assert session.post(f"{url}/login", data=sent, allow_redirects=False).status_code == 303

    def work() -> tuple[int, set[str]]:
        with ExitStack() as open_sessions:
            for _ in range(SPARE):
                log_in("li", open_sessions.enter_context(requests.Session()))
            people = {who: open_sessions.enter_context(requests.Session()) for who in (*ROLES, PROGRAM)}
            for who, session in people.items():
                if who == PROGRAM:
                    session.headers.update({"Accept": "application/json", "Authorization": f"Bearer {token}"})
                else:
                    log_in(who, session)
            seen = ask_everything(schema, url, people, examples)
            for who, session in people.items():
                assert session.get(f"{url}/api/me").status_code == 200, f"all this was asked as somebody: {who}"
            return seen

    try:
        answers, done = await asyncio.to_thread(work)
    finally:
        await server.close()
    operations = sum(len(methods) for methods in document(ROUTES)["paths"].values())
    assert answers > operations * len(AGENTS)
    assert len(done) > operations / 3, done
