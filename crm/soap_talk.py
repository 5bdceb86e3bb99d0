"""The operations of a :class:`crm.soap_plan.SoapPlan`, asked: messages built, sent, sessions opened, faults sorted.

Messages go to the address of the settings, never to the one in the WSDL: that is often the name of a machine behind
theirs, and who may hear our key is not for a document to say.
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from yarl import URL

from crm.asking import Told, error_inside
from crm.http import BULK, LOOKUP, WRITE, Answer, Http, Pace
from crm.http_answers import error_of
from crm.paths import first
from crm.plan import Values, filled_json
from crm.soap_answers import Fault, NoXmlError, body_of, error_of_fault, parse, value_of, with_empty, xml_text
from crm.soap_plan import TOKEN, SoapAsk, SoapPlan
from crm.soap_wsdl import MissingError, Security, Wsdl
from crm.trouble import AuthError, InvalidError, NotFoundError, TransientError, UnknownOutcomeError

MOST_DOCUMENTS = 50  # of one WSDL
_UNDERSTOOD = (200, 400, 500)  # where a fault may be


class WsdlSource:
    """Where the WSDL is: a file, or an address of ``http``'s house. What it imports must be there too."""

    def __init__(self, place: str, http: Http | None) -> None:
        self._place, self._http = place, http

    async def read(self, service: str, port: str) -> Wsdl:
        """The WSDL, with all that it imports. Raises CrmError."""
        documents: dict[str, bytes] = {}
        for _ in range(MOST_DOCUMENTS):
            try:
                return await asyncio.to_thread(Wsdl, self._place, documents, service, port)
            except MissingError as missing:
                documents[missing.place] = await self._document(missing.place)
        raise InvalidError(f"the WSDL {self._place} imports more than {MOST_DOCUMENTS} documents", "wsdl")

    async def _document(self, place: str) -> bytes:
        if self._http is not None:
            url, home = URL(place, encoded=True), URL(self._place)
            if url.scheme not in ("http", "https") or url.origin() != home.origin():
                raise InvalidError(f"the WSDL imports {place}, which is elsewhere: save both, and set wsdl", "wsdl")
            try:
                return (await self._http.ask("GET", url.raw_path_qs, pace=BULK)).body
            except NotFoundError as error:  # else it would look as if a customer were not there
                raise InvalidError(f"there is no WSDL at {place}: {error}", "wsdl") from error
        return await asyncio.to_thread(self._file, Path(place))

    def _file(self, path: Path) -> bytes:
        if not path.resolve().is_relative_to(Path(self._place).resolve().parent):
            raise InvalidError(f"the WSDL imports {path}, which is not beside it: save it there", "wsdl")
        try:
            return path.read_bytes()
        except OSError as error:
            raise InvalidError(f"the WSDL {path} cannot be read: {error.strerror or error}", "wsdl") from error

    async def close(self) -> None:
        """Close the connections."""
        if self._http is not None:
            await self._http.close()


@dataclass(frozen=True, slots=True)
class Identity:
    """Who we are there. ``security``: user and secret go into each message as WS-Security; None: they do not."""

    user: str | None = None
    secret: str | None = None
    security: Security | None = None


class SoapTalk:
    """One Web Service. ``check``: what is wrong with the plan for a WSDL; a WSDL that does not fit is not used."""

    def __init__(
        self,
        http: Http,
        source: WsdlSource,
        plan: SoapPlan,
        *,
        identity: Identity,
        check: Callable[[Wsdl], list[str]],
    ) -> None:
        self._http, self._source, self._plan = http, source, plan
        self._identity, self._check = identity, check
        self._wsdl: Wsdl | None = None
        self._token: str | None = None
        self._turn = asyncio.Lock()

    @property
    def system(self) -> str:
        """What errors call it."""
        return self._http.name

    async def wsdl(self) -> Wsdl:
        """The WSDL, read once. InvalidError with every name in the plan that it has not."""
        if self._wsdl is not None:
            return self._wsdl
        async with self._turn:
            if self._wsdl is None:
                found = await self._source.read(self._plan.service, self._plan.port)
                if wrong := self._check(found):
                    raise InvalidError("; ".join(wrong))
                self._wsdl = found
            return self._wsdl

    async def ask(self, ask: SoapAsk, given: Values, *, writes: bool, pace: Pace | None) -> Told:
        """Ask once; again with a new session where the old one was over. Raises CrmError."""
        pace = pace or (WRITE if writes else LOOKUP)
        if not self._plan.needs_token(ask):
            return await self._once(ask, given, writes=writes, pace=pace)
        token = self._token or await self._log_in(None, pace)
        try:
            return await self._once(ask, {**given, TOKEN: token}, writes=writes, pace=pace)
        except AuthError:  # it was not done
            token = await self._log_in(token, pace)
            return await self._once(ask, {**given, TOKEN: token}, writes=writes, pace=pace)

    def may_be_none(self, ask: SoapAsk) -> bool:  # noqa: ARG002 - as every talk is asked
        """Only the file can say that a fault means it."""
        return True

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()
        await self._source.close()

    async def _log_in(self, stale: str | None, pace: Pace) -> str:
        """A new session, or the one that somebody else has opened since."""
        login = self._plan.login
        assert login is not None
        await self.wsdl()
        async with self._turn:
            if self._token is None or self._token == stale:
                self._token = None
                told = await self._once(login, {}, writes=False, pace=pace, wsdl=self._wsdl)
                self._token = first(told.found, (login.token,))
                if self._token is None:
                    raise AuthError(f"{self.system}: {login.operation} gave no token at {login.token!r}")
            return self._token

    async def _once(self, ask: SoapAsk, given: Values, *, writes: bool, pace: Pace, wsdl: Wsdl | None = None) -> Told:
        wsdl = wsdl or await self.wsdl()
        who = self._identity
        values = {name: xml_text(text) for name, text in {"user": who.user, "secret": who.secret, **given}.items()}
        envelope = wsdl.envelope(
            ask.operation,
            ask.filled_args(values),
            filled_json(self._plan.header_of(ask), values),
            user=None if who.security is None else (who.user or "", who.secret or ""),
            security=who.security or "wsse",
        )
        headers = {"Accept": "text/xml, application/soap+xml", **envelope.headers}
        answer = await self._http.ask(
            "POST", "", pace=pace, writes=writes, data=envelope.body, headers=headers, refuse=False
        )
        found = self._found(ask, answer)
        if self._plan.error is not None and (inside := error_inside(self._plan.error, self.system, found)):
            raise inside
        return Told(self.system, lambda: with_empty(found, ask.records), answer.date)

    def _found(self, ask: SoapAsk, answer: Answer) -> Any:
        """What the answer holds. Raises what a fault or status means."""
        said = self._body(answer)
        if isinstance(said, Fault):
            raise error_of_fault(self.system, said, self._plan.fault, writes=answer.wrote)
        if error := error_of(answer.system, answer.status, answer.headers, answer.text, writes=answer.wrote):
            if isinstance(error, NotFoundError):  # the service itself is not there
                raise InvalidError(str(error), "url") from error
            raise error
        if said is None:
            begins = " ".join(answer.text[:80].split())
            kind = UnknownOutcomeError if answer.wrote else TransientError
            raise kind(f"{self.system} answered {answer.status} with no SOAP: {begins!r}")
        return self._unpacked(ask, said, answer) if ask.inside else said

    def _body(self, answer: Answer) -> Any:
        """What the envelope holds; None where there is none."""
        if not answer.body:
            return {} if answer.status < 300 else None  # noqa: PLR2004 - it answers nothing
        if answer.status not in _UNDERSTOOD:
            return None
        try:
            return body_of(parse(answer.body))
        except NoXmlError:
            return None

    def _unpacked(self, ask: SoapAsk, found: Any, answer: Answer) -> Any:
        text = first(found, (ask.at,))
        try:
            if text is None:
                raise NoXmlError("there is nothing")
            if ask.inside == "json":
                return json.loads(text)
            root: Mapping[str, Any] | str | None = value_of(parse(text.encode()))
        except (ValueError, RecursionError) as error:
            kind = UnknownOutcomeError if answer.wrote else InvalidError
            raise kind(f"{self.system}: {ask.operation} answers no {ask.inside} at {ask.at!r}: {error}") from error
        return root or {}
