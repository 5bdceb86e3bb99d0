"""The demo's company, as plain facts: its 400 numbers, its phones, its trunk.

The built-in PBX (:mod:`hotline.demo.pbx`) plays real captured calls for this company over a real AMI socket; the
service that listens to it is configured with these facts and knows nothing else of a demo.
"""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class DemoLine:
    """One 400 number: other forms the carrier sends for it, its Chinese name, area code for local callers."""

    number: str
    aliases: tuple[str, ...]
    name: str
    area: str


@dataclass(frozen=True, slots=True)
class DemoAgent:
    """A phone and who sits there."""

    extension: str
    name: str


COMPANY = "美家电器"
LINES = (
    DemoLine("4007002505", ("01062802505",), "美家电器服务热线", "010"),
    DemoLine("4008001234", (), "美家商城客服", "010"),
)
AGENTS = (
    DemoAgent("1001", "王小雨"),
    DemoAgent("1002", "李思远"),
    DemoAgent("1003", "陈静"),
    DemoAgent("1004", "赵一鸣"),
)
TRUNKS = ("PJSIP/carrier",)
VOICEMAIL_EVENT = "CC400Voicemail"
CUSTOMERS = Path(__file__).with_name("customers.csv")
"""The company's customers in the documented import format, the callers of the stories among them."""
