"""Identity and bank cards are blackened, whatever way their digits come; other digits stay."""

from collections.abc import Callable

import pytest

from transcription.redaction import Policy, redact, redact_turns
from transcription.transcript import Turn

ID = "110199196611150383"
BANK = "6299991020304058"


@pytest.mark.parametrize(
    ("said", "masked"),
    [
        (f"身份证{ID}。", "身份证**************0383。"),
        ("11019919850612342X", "**************342X"),
        (f"卡号{BANK}", "卡号************4058"),
        ("6299 9910 2030 4058", "**** **** **** 4058"),
        ("幺幺零幺九九，幺九六六，幺幺幺五，零三八三", "******，****，****，零三八三"),
        ("１１０１９９１９６６１１１５０３８３", "**************０３８３"),
        ("110199，呃，然后19661115，0383", "******，呃，然后********，0383"),
        ("身份证号是110199-1966-1115-038", "身份证号是******-****-***5-038"),
        ("11019919661115038", "*************5038"),
    ],
)
def test_cards_are_blackened(said: str, masked: str) -> None:
    """Typed, spaced, spoken, in pieces, with one digit lost."""
    assert redact(said)[0] == masked


@pytest.mark.parametrize(
    "text",
    [
        "订单号是20260412778",
        "订单号是4111111111111111",
        "宽带账号02899310",
        "运单号330824202604121234",
        "一百二十号",
        "电话15407728190",
        "一二三四五六七",
        "税号91330299MA12003778",
        "三心二意一五一十",
        "",
    ],
)
def test_other_digits_stay(text: str) -> None:
    """Orders, parcels, telephones (unless asked for), numerals."""
    assert redact(text) == (text, ())


def test_phones_are_blackened_on_request() -> None:
    """Mobiles and fixed lines, spoken ones too."""
    policy = Policy(phones=True)
    assert redact("手机15407728190", policy)[0] == "手机*******8190"
    assert redact("座机05356628071", policy)[0] == "座机*******8071"
    assert redact("幺五四零零幺二八八三六", policy)[0] == "*******八八三六"


def test_a_card_over_several_turns(talk: Callable[..., list[Turn]]) -> None:
    """The other side's 嗯 and the read-back do not hide it."""
    turns = talk("a 身份证号说一下。", "c 好，11019919661115，", "a 嗯。", "c 0383。", f"a 是{ID}，对吗？")
    masked, places = redact_turns(turns)
    assert [turn.text for turn in masked[1:]] == [
        "好，**************，",
        "嗯。",
        "0383。",
        "是**************0383，对吗？",
    ]
    assert {place.turn for place in places} == {1, 3, 4}
    assert all(place.sure for place in places)


@pytest.mark.parametrize("before", [
    ("c 那也该打个电话给我啊。", "a 您说得对。请提供一张新卡，我给您改。"),
    ("a 订单号多少？",),
    ("a 手机号您再报一遍。", "c 手机号等会儿说，先说这个。"),
    ("a 您想退到哪里呢？",),
])  # fmt: skip
def test_a_card_in_answer_to_another_question_is_one(talk: Callable[..., list[Turn]], before: tuple[str, ...]) -> None:
    """What begins as cards do, and has their check digit, is a card, whatever was asked; said in pieces as well."""
    masked, _ = redact_turns(
        talk(*before, "c 6299996，0202548，", "a 嗯。", "c 54975。", "a 6299996020254854975，对吧？")
    )
    assert [turn.text for turn in masked[-4:]] == [
        "*******，*******，",
        "嗯。",
        "*4975。",
        "***************4975，对吧？",
    ]


def test_an_order_is_none(talk: Callable[..., list[Turn]]) -> None:
    """Named in its own turn, or beginning otherwise: a check digit fits one number of ten."""
    masked, _ = redact_turns(talk("c 订单号是6299996020254854975。", "a 订单号多少？", "c 4299996020254854970。"))
    assert [turn.text for turn in masked[:1]] == ["订单号是6299996020254854975。"]
    assert "*" not in masked[2].text


def test_a_misheard_card_is_blackened_where_one_was_asked_for(talk: Callable[..., list[Turn]]) -> None:
    """Sixteen digits without a true check digit, in answer to 卡号."""
    masked, places = redact_turns(talk("a 请报一下银行卡卡号。", "c 6299 9910 2030 4051。"))
    assert masked[1].text == "**** **** **** 4051。"
    assert [place.sure for place in places] == [False]


def test_policy_may_switch_kinds_off() -> None:
    """A line that needs the number keeps it."""
    assert redact(ID, Policy(id_cards=False, fuzzy=False))[0] == ID
