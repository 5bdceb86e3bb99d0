"""SmallDesk behind a Web Service, for tests: sessions, faults, lists in pages, as soapdesk.wsdl describes it."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiohttp import web
from lxml import etree

from tests.crm.smalldesk import PAGE, SmallDesk

HERE = Path(__file__).parent
USER, PASSWORD = "hotline", "s3cret <&>"
_ENV = "http://schemas.xmlsoap.org/soap/envelope/"
_NS = "urn:desk"
Fields = Mapping[str, Any]


class FaultError(Exception):
    """A fault with that code and, in its detail, an element of that name."""

    def __init__(self, code: str, detail: str, text: str) -> None:
        super().__init__(text)
        self.code, self.detail, self.text = code, detail, text


class SoapDesk:
    """The service. ``sessions`` that are open; ``raw``: an answer to give instead, as it is."""

    def __init__(self) -> None:
        self.desk = SmallDesk()
        self.sessions: set[str] = set()
        self.logins = 0
        self.asked: list[str] = []
        self.raw: tuple[int, bytes] | None = None

    def app(self) -> web.Application:
        """The service below ``/soap``, its WSDL there as well."""
        app = web.Application()
        app.router.add_post("/soap", self._take)
        app.router.add_get("/soap", self._wsdl)
        app.router.add_get("/soapdesk.xsd", self._wsdl)
        return app

    async def _wsdl(self, request: web.Request) -> web.Response:
        name = "soapdesk.xsd" if request.path.endswith("xsd") else "soapdesk.wsdl"
        return web.Response(body=(HERE / name).read_bytes(), content_type="text/xml")

    async def _take(self, request: web.Request) -> web.Response:
        root = etree.fromstring(await request.read())
        message = root.find(f"{{{_ENV}}}Body")[0]
        name = etree.QName(message).localname
        assert request.headers["SOAPAction"] == f'"urn:desk/{name}"'
        assert request.content_type == "text/xml"
        self.asked.append(name)
        if self.raw is not None and name != "Login":
            return web.Response(status=self.raw[0], body=self.raw[1], content_type="text/xml")
        try:
            if name != "Login":
                self._let_in(root.findtext(f"{{{_ENV}}}Header/{{{_NS}}}Session/{{{_NS}}}token"))
            found = getattr(self, f"_{name}")({etree.QName(part).localname: part for part in message})
        except FaultError as fault:
            return _fault(fault)
        answer = "".join(_xml(key, value) for key, value in found.items())
        return _envelope(f'<{name}Response xmlns="{_NS}">{answer}</{name}Response>')

    def _let_in(self, token: str | None) -> None:
        if token not in self.sessions:
            raise FaultError("soap:Server", "SessionOver", "log in first")

    def _Login(self, given: Fields) -> Fields:  # noqa: N802 - as the operation is called
        if (given["user"].text, given["password"].text) != (USER, PASSWORD):
            raise FaultError("soap:Client", "WrongPassword", "no such user or password")
        self.logins += 1
        self.sessions.add(f"session-{self.logins}")
        return {"token": f"session-{self.logins}"}

    def _About(self, _: Fields) -> Fields:  # noqa: N802
        return {"version": "SoapDesk 3.1"}

    def _FindContacts(self, given: Fields) -> Fields:  # noqa: N802
        wanted = given["phone"].text
        found = [
            row
            for row in self.desk.contacts.values()
            if not row.get("gone") and any(wanted in re.sub(r"\D", "", tel["no"]) for tel in row["tel"])
        ]
        return {"contacts": {"contact": list(map(_contact, found))}}

    def _GetContact(self, given: Fields) -> Fields:  # noqa: N802
        row = self.desk.contacts.get(given["uid"].text)
        if row is None or row.get("gone"):
            raise FaultError("soap:Client", "NoSuchRecord", "there is no such contact")
        return {"contact": _contact(row)}

    def _ListContacts(self, given: Fields) -> Fields:  # noqa: N802
        since, after = (given[name].text if name in given else None for name in ("since", "after"))
        rows = [row for row in self.desk.contacts.values() if since or not row.get("gone")]
        if since:
            moment = datetime.fromisoformat(since).astimezone(UTC).isoformat()
            rows = [row for row in rows if row["changed"] >= moment]
        rows = [row for row in sorted(rows, key=lambda row: int(row["uid"])) if int(row["uid"]) > int(after or 0)]
        following = str(rows[PAGE - 1]["uid"]) if len(rows) > PAGE else None
        return {"contacts": {"contact": list(map(_contact, rows[:PAGE]))}, "following": following}

    def _FindCases(self, given: Fields) -> Fields:  # noqa: N802
        rows = [
            row
            for row in self.desk.cases.values()
            if all(str(row[field]) == given[name].text for name, field in _CASE_KEYS.items() if name in given)
        ]
        return {"cases": {"case": list(map(_case, rows))}}

    def _GetCase(self, given: Fields) -> Fields:  # noqa: N802
        return {"case": _case(self._row(self.desk.cases, given))}

    def _AddCase(self, given: Fields) -> Fields:  # noqa: N802
        case = {etree.QName(part).localname: part.text or "" for part in given["case"]}
        if any(row["call_key"] == case["callKey"] for row in self.desk.cases.values()):
            raise FaultError("soap:Client", "Duplicate", "there is a case of this call")
        uid = str(next(self.desk.numbers))
        row = {"uid": int(uid), "call_key": case["callKey"], "contact": case.get("contact")}
        self.desk.cases[uid] = {**row, "subject": case["subject"], "text": case.get("text"), "state": case["state"]}
        self.desk.change(self.desk.cases[uid])
        return {"uid": uid, "rev": 1}

    def _SetCase(self, given: Fields) -> Fields:  # noqa: N802
        row = self._row(self.desk.cases, given)
        if "rev" in given and given["rev"].text != str(row["rev"]):
            raise FaultError("soap:Client", "Stale", "somebody changed it")
        self.desk.change(row, state=given["state"].text)
        return {"rev": row["rev"]}

    def _AddComment(self, given: Fields) -> Fields:  # noqa: N802
        self.desk.comments.append((str(self._row(self.desk.cases, given)["uid"]), given["text"].text))
        return {}

    def _FindNotes(self, given: Fields) -> Fields:  # noqa: N802
        rows = [row for row in self.desk.notes.values() if row["call_key"] == given["callKey"].text]
        return {"notes": {"note": [{"uid": r["uid"], "callKey": r["call_key"], "contact": r["contact"]} for r in rows]}}

    def _AddNote(self, given: Fields) -> Fields:  # noqa: N802
        note = _note(given["note"])
        if any(row["call_key"] == note["call_key"] for row in self.desk.notes.values()):
            raise FaultError("soap:Client", "Duplicate", "there is a note of this call")
        uid = str(next(self.desk.numbers))
        self.desk.notes[uid] = {"uid": uid, **note}
        return {"uid": uid}

    def _SetNote(self, given: Fields) -> Fields:  # noqa: N802
        self._row(self.desk.notes, given).update(_note(given["note"]))
        return {}

    def _row(self, rows: Mapping[str, dict[str, Any]], given: Fields) -> dict[str, Any]:
        row = rows.get(given["uid"].text)
        if row is None:
            raise FaultError("soap:Client", "NoSuchRecord", "there is no such record")
        return row


_CASE_KEYS = {"contact": "contact", "callKey": "call_key"}


def _contact(row: Fields) -> Fields:
    more = {"company": row.get("org"), "tier": row.get("tier"), "orders": row.get("orders", [])}
    phones = {"no": [tel["no"] for tel in row["tel"]]}
    gone = {"gone": "true" if row.get("gone") else None, "now": row.get("now")}
    return {
        "uid": row["uid"],
        "fullName": row["full_name"],
        "phones": phones,
        **more,
        "changed": row["changed"],
        **gone,
    }


def _case(row: Fields) -> Fields:
    return {name: row.get(name) for name in ("uid", "subject", "text", "contact", "state", "rev", "changed")}


def _note(part: Any) -> dict[str, Any]:
    given = {etree.QName(each).localname: each.text or "" for each in part}
    return {"call_key": given["callKey"], "contact": given["contact"], "title": given["title"], "text": given["text"]}


def _xml(name: str, value: Any) -> str:
    """An element, several, or none."""
    if isinstance(value, list):
        return "".join(_xml(name, each) for each in value)
    if isinstance(value, Mapping):
        return f"<{name}>{''.join(_xml(key, each) for key, each in value.items())}</{name}>"
    if value is None or value == "":
        return ""
    element = etree.Element(name)
    element.text = str(value)
    return str(etree.tostring(element, encoding="unicode"))


def _envelope(body: str, status: int = 200) -> web.Response:
    text = f'<?xml version="1.0"?><soap:Envelope xmlns:soap="{_ENV}"><soap:Body>{body}</soap:Body></soap:Envelope>'
    return web.Response(text=text, status=status, content_type="text/xml")


def _fault(fault: FaultError) -> web.Response:
    detail = f'<detail><d:{fault.detail} xmlns:d="{_NS}"/></detail>'
    told = f"<faultcode>{fault.code}</faultcode><faultstring>{fault.text}</faultstring>{detail}"
    return _envelope(f"<soap:Fault>{told}</soap:Fault>", 500)
