"""WSDLs of other kinds: RPC style, SOAP 1.2, several services; and what one says of its answers."""

from pathlib import Path

import pytest

from crm.soap_answers import body_of, parse
from crm.soap_wsdl import MissingError, Wsdl
from crm.trouble import InvalidError

HERE = Path(__file__).parent
DESK = {
    "desk.wsdl": (HERE / "soapdesk.wsdl").read_bytes(),
    "soapdesk.xsd": (HERE / "soapdesk.xsd").read_bytes(),
}
RPC = b"""<?xml version="1.0"?>
<wsdl:definitions targetNamespace="urn:old" xmlns:tns="urn:old" xmlns:xsd="http://www.w3.org/2001/XMLSchema"
    xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/" xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/">
  <wsdl:types>
    <xsd:schema targetNamespace="urn:old">
      <xsd:complexType name="Row"><xsd:sequence><xsd:element name="id" type="xsd:int"/></xsd:sequence>
        <xsd:attribute name="rev" type="xsd:int"/></xsd:complexType>
    </xsd:schema>
  </wsdl:types>
  <wsdl:message name="ask"><wsdl:part name="phone" type="xsd:string"/><wsdl:part name="most" type="xsd:int"/>
  </wsdl:message>
  <wsdl:message name="answer"><wsdl:part name="return" type="tns:Row"/></wsdl:message>
  <wsdl:portType name="Old"><wsdl:operation name="query"><wsdl:input message="tns:ask"/>
    <wsdl:output message="tns:answer"/></wsdl:operation></wsdl:portType>
  <wsdl:binding name="Old" type="tns:Old">
    <soap:binding style="rpc" transport="http://schemas.xmlsoap.org/soap/http"/>
    <wsdl:operation name="query"><soap:operation soapAction=""/>
      <wsdl:input><soap:body use="literal" namespace="urn:old"/></wsdl:input>
      <wsdl:output><soap:body use="literal" namespace="urn:old"/></wsdl:output></wsdl:operation>
  </wsdl:binding>
  <wsdl:service name="A"><wsdl:port name="One" binding="tns:Old"><soap:address location="http://x/"/></wsdl:port>
  </wsdl:service>
  <wsdl:service name="B"><wsdl:port name="Two" binding="tns:Old"><soap:address location="http://x/"/></wsdl:port>
  </wsdl:service>
</wsdl:definitions>"""


def test_a_message_in_rpc_style() -> None:
    """As services of the time before wrapped documents want it."""
    wsdl = Wsdl("/old.wsdl", {"/old.wsdl": RPC})
    envelope = wsdl.envelope("query", {"phone": "138", "most": "5"}, {})
    assert body_of(parse(envelope.body)) == {"phone": "138", "most": "5"}
    assert envelope.headers == {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": '""'}
    assert set(wsdl.fields("query", "return") or ()) == {"id", "@rev"}
    with pytest.raises(InvalidError, match="unexpected keyword argument"):
        wsdl.envelope("query", {"fone": "138"}, {})


def test_a_message_of_soap_12() -> None:
    """Its action stands in the content type."""
    twelve = {name: text.replace(b"wsdl/soap/", b"wsdl/soap12/") for name, text in DESK.items()}
    wsdl = Wsdl("desk.wsdl", _placed(twelve))
    envelope = wsdl.envelope("FindContacts", {"phone": "138", "most": None}, {})
    assert b"http://www.w3.org/2003/05/soap-envelope" in envelope.body
    assert envelope.headers == {"Content-Type": 'application/soap+xml; charset=utf-8; action="urn:desk/FindContacts"'}
    assert body_of(parse(envelope.body)) == {"phone": "138"}


def test_one_of_several_services_is_chosen() -> None:
    """By name; else the first."""
    for service, port in (("", ""), ("A", ""), ("B", "Two")):
        assert Wsdl("/old.wsdl", {"/old.wsdl": RPC}, service, port).operations == ["query"]
    with pytest.raises(InvalidError, match="there are: A/One, B/Two"):
        Wsdl("/old.wsdl", {"/old.wsdl": RPC}, "A", "Two")


def test_what_is_missing_is_named() -> None:
    """Whoever has the network decides."""
    with pytest.raises(MissingError) as found:
        Wsdl("https://x.example/d?wsdl", {})
    assert found.value.place == "https://x.example/d?wsdl"
    with pytest.raises(MissingError) as found:
        Wsdl("https://x.example/a/d.wsdl", {"https://x.example/a/d.wsdl": DESK["desk.wsdl"]})
    assert found.value.place == "https://x.example/a/soapdesk.xsd"


@pytest.mark.parametrize("text", [b"", b"<html/>", b"<a>", b"not xml", RPC.replace(b"</wsdl:service>", b"", 1)])
def test_what_is_no_wsdl_is_refused(text: bytes) -> None:
    """In a sentence."""
    with pytest.raises(InvalidError, match="WSDL"):
        Wsdl("/x.wsdl", {"/x.wsdl": text})


def _placed(documents: dict[str, bytes]) -> dict[str, bytes]:
    """As zeep looks for files: by their whole path."""
    here = str(Path.cwd())
    return {**documents, **{f"{here}/{name}": text for name, text in documents.items()}}
