"""Any Web Service (SOAP), described by its WSDL and a mapping file: which operations there are, which field is what.

docs/soap.md shows a whole file. What the file does not describe the connector cannot do, and says so in ``can``.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

from pydantic import model_validator
from yarl import URL

from crm.asking import Asking
from crm.connector import Can, Connector, Context, FieldInfo, Health, Schema
from crm.described import Described
from crm.fieldmap import FieldMap, MappingError
from crm.http import Http
from crm.rest import RestSettings, key_headers
from crm.soap_plan import SoapAsk, SoapPlan
from crm.soap_talk import Identity, SoapTalk, WsdlSource
from crm.soap_wsdl import Wsdl
from crm.trouble import InvalidError

SYSTEM = "SOAP"
_GIVE_IDS = frozenset({"note", "ticket", "note_by_key", "ticket_by_key"})


class SoapSettings(RestSettings):
    """Where the service is, its WSDL, and our key.

    ``wsdl``: a file, or an address (``url`` with ``?wsdl``). ``security``: what user and secret are put into: the head
    of the request as for REST (``http``), each message as WS-Security has it (``wsse``, ``wsse_digest``), or nothing
    but the mapping's placeholders (``mapping``).
    """

    wsdl: str = ""
    security: Literal["http", "wsse", "wsse_digest", "mapping"] = "http"

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if self.security in ("wsse", "wsse_digest") and self.user is None:
            raise ValueError("user is missing: WS-Security names one")
        return self

    @property
    def fetched(self) -> bool:
        """Whether the WSDL has to be asked for."""
        return not self.wsdl or self.wsdl.startswith(("http://", "https://"))


SETTINGS = SoapSettings


async def open_connector(settings: Mapping[str, Any], context: Context) -> Connector:
    """The connector for ``[crm.settings]`` and the mapping file. Talks to nobody yet; a WSDL in a file is read."""
    mine = SoapSettings.model_validate(dict(settings))
    plan = SoapPlan.read(context.mapping.get("soap", {}))
    given = FieldMap.read(context.mapping, _objects(plan), own=("soap",))
    secret = context.secret(mine.secret_env) if mine.secret_env else None
    plan.push_key(context.secret)  # one that is missing is told before anything is open
    checking = _Checking(plan, given)
    identity = Identity(mine.user, secret, mine.security if mine.security in ("wsse", "wsse_digest") else None)
    talk = SoapTalk(
        _http(mine, mine.url, secret, context), _source(mine, secret, context), plan, identity=identity, check=checking
    )
    if not mine.fetched:
        try:
            await talk.wsdl()
        except InvalidError as error:
            await talk.close()
            raise MappingError(str(error)) from error
    return Soap(talk, plan, given, context, mine.connections)


class Soap(Described[SoapAsk]):
    """A system behind a Web Service."""

    def __init__(self, talk: SoapTalk, plan: SoapPlan, mapping: FieldMap, context: Context, connections: int) -> None:
        super().__init__("soap", Asking(talk), plan, mapping, context=context, connections=connections)
        self._talk, self._soap = talk, plan
        self.can = plan.can | Can.DESCRIBE

    async def health(self) -> Health:
        """The operation ``health``; before it the WSDL, against which everything that the file names is checked."""
        await self._talk.wsdl()
        return await super().health()

    async def describe(self) -> Schema:
        """By operation, the fields of its answer's records, as far as the WSDL says."""
        return _schema(self._soap, await self._talk.wsdl())


@dataclass(frozen=True, slots=True)
class _Checking:
    """What a plan and a mapping name, held against a WSDL."""

    plan: SoapPlan
    mapping: FieldMap

    def __call__(self, wsdl: Wsdl) -> list[str]:
        """Everything that is not there."""
        anything = dict.fromkeys({name for _, ask in self.plan.asked() for name in _names(self.plan, ask)}, "1")
        faults = []
        for name, ask in self.plan.asked():
            try:
                wsdl.envelope(ask.operation, ask.filled_args(anything), self.plan.header_of(ask))
                for path in () if ask.inside else _paths(name, ask):
                    wsdl.fields(ask.operation, path)
            except InvalidError as error:
                faults.append(f"soap.{name}: {str(error).removeprefix('soap: ')}")
        return faults or self._known(schema := _schema(self.plan, wsdl)).wrong_names(schema)

    def _known(self, schema: Schema) -> FieldMap:
        """The mapping without objects whose fields the WSDL does not say."""
        customer, ticket = self.mapping.customer, self.mapping.ticket
        if customer.object not in schema:
            customer = customer.model_copy(update={"object": ""})
        if ticket.object not in schema:
            ticket = ticket.model_copy(update={"object": ""})
        return FieldMap(customer=customer, ticket=ticket)


def _paths(name: str, ask: SoapAsk) -> Iterator[str]:
    """Every path that a question names, from the answer's root."""
    yield from (ask.records, ask.next, getattr(ask, "token", ""), *([ask.version] if name == "health" else []))
    of_a_record = [] if name == "health" else [ask.version, ask.updated, ask.gone, ask.merged]
    if name in _GIVE_IDS:
        of_a_record.append(ask.id)
    for path in filter(None, of_a_record):
        yield f"{ask.records}.{path}" if ask.records else path


def _names(plan: SoapPlan, ask: SoapAsk) -> set[str]:
    return {*ask.placeholders(), *plan.MORE}


def _objects(plan: SoapPlan) -> Mapping[str, Any]:
    """A mapping's objects are operations here: where the WSDL says what their records hold, names are checked."""
    objects = {"customer": plan.find[0], "ticket": plan.read_ticket}
    return {name: {"object": ask.operation} for name, ask in objects.items() if ask is not None and not ask.inside}


def _schema(plan: SoapPlan, wsdl: Wsdl) -> Schema:
    found: dict[str, Mapping[str, FieldInfo]] = {}
    for _, ask in plan.asks():
        fields = None if ask.inside else wsdl.fields(ask.operation, ask.records)
        if fields is not None:
            found.setdefault(ask.operation, fields)
    return found


def _http(mine: SoapSettings, base: str, secret: str | None, context: Context) -> Http:
    headers = key_headers(mine, secret) if mine.security == "http" else {}
    ca = context.base / mine.ca_file if mine.ca_file else None
    return Http(SYSTEM, base, headers=headers, connections=mine.connections, ca=ca)


def _source(mine: SoapSettings, secret: str | None, context: Context) -> WsdlSource:
    """Our key goes along only to the house that it is for."""
    if not mine.fetched:
        return WsdlSource(str((context.base / mine.wsdl).absolute()), None)
    place = URL(mine.wsdl or f"{mine.url}?wsdl")
    same = place.origin() == URL(mine.url).origin()
    return WsdlSource(str(place), _http(mine, str(place.origin()), secret if same else None, context))
