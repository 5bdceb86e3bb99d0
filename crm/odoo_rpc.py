"""Calling methods of Odoo's models: JSON-2 (19 and later), or ``/jsonrpc`` (14 to 18; Odoo has announced its end).

Knows how a call is put and how its failure is told, nothing of customers or tickets.
"""

from collections.abc import Callable, Mapping
from typing import Any, Protocol
from urllib.parse import quote

from crm.http import LOOKUP, Answer, Http, Pace
from crm.http_answers import error_of
from crm.odoo_answers import error_named
from crm.trouble import AuthError, InvalidError, TransientError

SYSTEM = "Odoo"


class Rpc(Protocol):
    """A way to call Odoo."""

    async def call(
        self,
        model: str,
        method: str,
        ids: list[int] | None = None,
        *,
        pace: Pace = LOOKUP,
        writes: bool = False,
        **arguments: Any,
    ) -> Any:
        """What the method answered. ``ids``: the records it is called on, if any. Raises CrmError."""
        ...

    async def version(self) -> tuple[str, float | None]:
        """Odoo's version, and its clock (epoch seconds) where it tells. Raises CrmError."""
        ...


async def _version(http: Http) -> tuple[str, float | None]:
    answer = await http.ask("POST", "/web/webclient/version_info", json_body={})
    found = answer.json_object().get("result")
    told = found.get("server_version") if isinstance(found, Mapping) else None
    if not isinstance(told, str):
        raise InvalidError(f"{SYSTEM} does not tell its version: is url that of an Odoo?", "url")
    return told, answer.date


class Json2:
    """JSON-2: the key is a bearer, the database a header; arguments go by name."""

    def __init__(self, http: Http, headers: Mapping[str, str]) -> None:
        self._http, self._headers = http, headers

    async def call(
        self,
        model: str,
        method: str,
        ids: list[int] | None = None,
        *,
        pace: Pace = LOOKUP,
        writes: bool = False,
        **arguments: Any,
    ) -> Any:
        """See :meth:`Rpc.call`."""
        body = arguments if ids is None else {"ids": ids, **arguments}
        path = f"/json/2/{quote(model, safe='')}/{quote(method, safe='')}"
        answer = await self._http.ask(
            "POST", path, pace=pace, writes=writes, json_body=body, headers=self._headers, refuse=False
        )
        if answer.status == 200:  # noqa: PLR2004
            return answer.json()
        told = _told(answer)
        if told is not None and isinstance(name := told.get("name"), str):
            raise error_named(SYSTEM, name, str(told.get("message", "")))
        if answer.status == 404:  # noqa: PLR2004 - Odoo's own page, before any model was asked
            raise InvalidError(f"{SYSTEM} has no such address or database: check url and database", "database")
        raise error_of(answer.system, answer.status, answer.headers, answer.text, writes=writes) or InvalidError(
            f"{SYSTEM} answered {answer.status}"
        )

    async def version(self) -> tuple[str, float | None]:
        """See :meth:`Rpc.version`."""
        return await _version(self._http)


class JsonRpc:
    """``/jsonrpc``: each call carries the database, the user's number and its key. Errors come inside a 200."""

    def __init__(self, http: Http, database: str, user: str, key: Callable[[], str]) -> None:
        self._http, self._database, self._user, self._key = http, database, user, key
        self._uid: int | None = None

    async def call(
        self,
        model: str,
        method: str,
        ids: list[int] | None = None,
        *,
        pace: Pace = LOOKUP,
        writes: bool = False,
        **arguments: Any,
    ) -> Any:
        """See :meth:`Rpc.call`."""
        if self._uid is None:
            self._uid = await self._log_in(pace)
        by_place = [] if ids is None else [ids]
        whole = [self._database, self._uid, self._key(), model, method, by_place, arguments]
        try:
            return await self._ask("object", "execute_kw", whole, pace, writes=writes)
        except AuthError:
            self._uid = None  # the user may be another one after a restore
            raise

    async def version(self) -> tuple[str, float | None]:
        """See :meth:`Rpc.version`."""
        return await _version(self._http)

    async def _log_in(self, pace: Pace) -> int:
        uid = await self._ask("common", "authenticate", [self._database, self._user, self._key(), {}], pace)
        if not isinstance(uid, int) or isinstance(uid, bool):
            raise AuthError(f"{SYSTEM} does not know user {self._user!r} with this key in database {self._database!r}")
        return uid

    async def _ask(self, service: str, method: str, args: list[Any], pace: Pace, *, writes: bool = False) -> Any:
        body = {
            "jsonrpc": "2.0",
            "method": "call",
            "id": 1,
            "params": {"service": service, "method": method, "args": args},
        }
        answer = await self._http.ask("POST", "/jsonrpc", pace=pace, writes=writes, json_body=body)
        told = answer.json_object()
        error = told.get("error")
        if isinstance(error, Mapping):
            data = error.get("data")
            data = data if isinstance(data, Mapping) else {}
            raise error_named(SYSTEM, str(data.get("name", "")), str(data.get("message") or error.get("message", "")))
        if "result" not in told:
            # A method that returns nothing: some versions leave the result out.
            return None
        return told["result"]


def _told(answer: Answer) -> Mapping[str, Any] | None:
    """The error object in an answer that is no success; None when it is something else, a proxy's page for one."""
    try:
        found = answer.json()
    except TransientError:
        return None
    return found if isinstance(found, Mapping) else None
