"""What a help desk or a webhook is told of a call, to the letter."""

import json
import re
from base64 import b64decode, b64encode
from dataclasses import replace
from hashlib import sha256
from hmac import HMAC
from pathlib import Path
from typing import Any

import pytest

from crm.push import Ending, Happening, Told, What
from crm.push_webhook import SecretError, Webhook, event_of, id_of, sign
from crm.push_zammad import Zammad

NOW = 1795312800.0
CALL = Told(
    site="云杉",
    call="hq:1795312790.17",
    line="4007002505",
    caller="+8613812345678",
    arrived=1795312790.25,
    customer=("42", "林晓峰"),
    vip=True,
    ticket="20261122-0007",
    link="https://hotline.example/calls/hq:1795312790.17",
)
ARRIVED = Happening("arrived", What.ARRIVED, 1795312790.25, CALL)
ANSWERED = Happening("answered:1001:1", What.ANSWERED, 1795312795.0, CALL, "1001", "王芳", "sales")
SECRET = "whsec_" + b64encode(bytes(range(32))).decode()
OTHER = "whsec_" + b64encode(bytes(range(1, 33))).decode()


def ended(ending: Ending) -> Happening:
    """It is over."""
    return Happening(f"ended:{ending}", What.ENDED, NOW, CALL, ending=ending, detail={"seconds": 9.75})


def zammad(happening: Happening) -> dict[str, Any]:
    """What Zammad is told."""
    message = Zammad().message(happening, NOW)
    assert message.headers == {"Content-Type": "application/json; charset=utf-8"}
    told: dict[str, Any] = json.loads(message.body)
    return told


def test_zammad_is_told_of_a_call() -> None:
    """Numbers without their plus; who answered as one text, for a list breaks it."""
    both = {"from": "8613812345678", "to": "864007002505", "direction": "in", "callId": "hq:1795312790.17"}
    assert zammad(ARRIVED) == {"event": "newCall", **both}
    assert zammad(ANSWERED) == {"event": "answer", **both, "answeringNumber": "1001", "user": "王芳"}
    assert zammad(replace(ANSWERED, agent_name=None))["user"] == "1001"


@pytest.mark.parametrize(
    ("ending", "cause"),
    [
        (Ending.ANSWERED, "normalClearing"),
        (Ending.ABANDONED, "cancel"),
        (Ending.VOICEMAIL, "noAnswer"),
        (Ending.LOST, "congestion"),
    ],
)
def test_zammad_is_told_why_a_call_ended(ending: Ending, cause: str) -> None:
    """In its words, of which it knows seven."""
    assert zammad(ended(ending))["cause"] == cause


def test_zammad_is_told_of_a_withheld_number() -> None:
    """As it has them."""
    assert zammad(replace(ARRIVED, call=replace(CALL, caller=None)))["from"] == "anonymous"


def test_zammad_hears_of_each_answer_and_of_one_end() -> None:
    """A transfer is another answer; a second end would move the first one's time."""
    form = Zammad()
    names = [form.name_of(each) for each in (ARRIVED, ANSWERED, ended(Ending.LOST), ended(Ending.ANSWERED))]
    assert names == ["newCall", "answered:1001:1", "hangup", "hangup"]
    assert form.name_of(Happening("said", What.SUMMARISED, NOW, CALL)) is None


@pytest.mark.parametrize(
    ("what", "status", "text", "doubtful", "heard"),
    [
        (ARRIVED, 500, '{"error":"call_id hq:1 already exists!"}', False, True),
        (ARRIVED, 500, '{"error":"internal"}', False, False),
        (ARRIVED, 500, '{"error":"internal"}', True, True),
        (ARRIVED, 503, "", True, False),
        (ANSWERED, 500, '{"error":"No such call_id hq:1"}', True, False),
    ],
)
def test_a_call_that_zammad_has_already(what: Happening, status: int, text: str, doubtful: bool, heard: bool) -> None:  # noqa: FBT001
    """A second newCall breaks there: told, or taken for it where an answer to the first was lost."""
    assert Zammad().heard_before(what, status, text, doubtful=doubtful) is heard


def test_a_webhook_is_told_as_a_cloud_event() -> None:
    """Every attribute that CloudEvents asks for, and ours in data."""
    told = event_of(ANSWERED)
    assert told == {
        "specversion": "1.0",
        "id": id_of(ANSWERED),
        "source": "/hotline",
        "type": "hotline.call.answered",
        "subject": "hq:1795312790.17",
        "time": "2026-11-22T01:59:55.000+00:00",
        "datacontenttype": "application/json",
        "data": {
            "site": "云杉",
            "call": "hq:1795312790.17",
            "line": "4007002505",
            "caller": "+8613812345678",
            "arrived": "2026-11-22T01:59:50.250+00:00",
            "customer": {"id": "42", "name": "林晓峰", "vip": True},
            "ticket": "20261122-0007",
            "link": "https://hotline.example/calls/hq:1795312790.17",
            "agent": {"extension": "1001", "name": "王芳"},
            "queue": "sales",
            "outcome": None,
        },
    }
    assert (event_of(ended(Ending.LOST))["data"]["outcome"], event_of(ended(Ending.LOST))["data"]["seconds"]) == (
        "lost",
        9.75,
    )
    assert "time" not in event_of(replace(ANSWERED, at=None))


def test_a_webhook_is_signed() -> None:
    """Over id, time of sending and the very bytes; by each secret while one takes another's place."""
    message = Webhook(f"{SECRET} {OTHER}").message(ANSWERED, NOW)
    signed = f"{id_of(ANSWERED)}.1795312800.".encode() + message.body
    want = [
        "v1," + b64encode(HMAC(b64decode(key.removeprefix("whsec_")), signed, sha256).digest()).decode()
        for key in (SECRET, OTHER)
    ]
    assert message.headers["webhook-signature"].split(" ") == want
    assert (message.headers["webhook-id"], message.headers["webhook-timestamp"]) == (id_of(ANSWERED), "1795312800")
    assert message.headers["Content-Type"] == "application/cloudevents+json; charset=utf-8"


def test_the_signature_is_that_of_the_standard() -> None:
    """The example of its specification: another's library says yes to ours."""
    key = b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    body = b'{"test": 2432232314}'
    assert sign([key], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body) == (
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    )


def test_an_id_is_the_same_each_time_and_no_other_has_it() -> None:
    """And holds no full stop, which parts what is signed."""
    others = [ARRIVED, ended(Ending.LOST), ended(Ending.ANSWERED), replace(ANSWERED, name="answered:1001:2")]
    others += [replace(ANSWERED, call=replace(CALL, site="x")), replace(ANSWERED, call=replace(CALL, call="hq:2"))]
    ids = [id_of(each) for each in (ANSWERED, *others)]
    assert len(set(ids)) == len(ids)
    assert id_of(replace(ANSWERED, call=replace(CALL, ticket=None))) == ids[0]
    assert not any("." in each for each in ids)


@pytest.mark.parametrize("secret", ["", "x", "whsec_", "whsec_####", "whsec_" + b64encode(bytes(8)).decode()])
def test_a_secret_that_protects_nothing_is_refused(secret: str) -> None:
    """With what one looks like."""
    with pytest.raises(SecretError):
        Webhook(secret)


PAGE = (Path(__file__).parents[2] / "docs" / "push.md").read_text(encoding="utf-8")


def test_the_page_shows_what_is_sent() -> None:
    """To the letter; and speaks of everything that may be told."""
    shown = json.loads(re.findall(r"^```json\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)[0])
    call = replace(CALL, site="hotline")
    assert shown == json.loads(json.dumps(event_of(replace(ANSWERED, call=call))))
    assert all(f"| `{what}` |" in PAGE for what in What)
