"""Who is that? Every spelling a carrier, a phone or a person may use, and what the service must make of it.

The mobiles begin with 154, a range nobody has been given.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from numbering.identify import identify
from numbering.number import Kind

SHENZHEN = "0755"

MOBILE = "+8615400001234"
BEIJING = "+861088886666"
SHENZHEN_LINE = "+8675588886666"
HOTLINE = "+864007002505"


@pytest.mark.parametrize(
    "raw",
    [
        "15400001234",
        "154 0000 1234",
        "154-0000-1234",
        "154.0000.1234",
        "154–0000—1234",
        "+8615400001234",
        "+86 154 0000 1234",
        "+86-154-0000-1234",
        "(+86)154-0000-1234",
        "（+86）15400001234",
        "(86)154-0000-1234",
        "8615400001234",
        "86 15400001234",
        "008615400001234",
        "0086-154-0000-1234",
        "+008615400001234",
        "015400001234",  # a trunk 0 before a mobile
        "+8601540000 1234",
        "1５4００００1234",
        "１５４００００１２３４",
        "＋８６　１５４００００１２３４",
        "\u202d154 0000 1234\u202c",  # direction marks of an address book
        "1795115400001234",  # carriers' IP prefixes
        "17951015400001234",
        "1791115400001234",
        "1259315400001234",
        "12583115400001234",  # a second number on the same SIM
        "075515400001234",  # area code before a mobile
        "sip:15400001234@10.0.0.1",
        "sip:+8615400001234@carrier.test;user=phone",
        "sips:+8615400001234@carrier.test:5061;transport=tls",
        "sip:%2B8615400001234@carrier.test",
        "sip:+86-154-0000-1234:secret@carrier.test?subject=x",
        "15400001234@10.0.0.1",
        "tel:+86-154-0000-1234",
        "tel:15400001234;phone-context=+86",
        '"张伟" <sip:15400001234@10.0.0.1:5060;transport=udp>;tag=as1',
        "张伟 <15400001234>",
        '"15400001234"',
        "'15400001234",  # a spreadsheet's mark for text
        "15400001234.0",  # a spreadsheet's number
        "手机：15400001234",
        "Mobile: 154 0000 1234",
    ],
)
def test_mobiles(raw: str) -> None:
    """A mobile is known, however it is written."""
    number = identify(raw)
    assert (number.kind, number.e164, number.ext) == (Kind.MOBILE, MOBILE, None)


@pytest.mark.parametrize(
    ("raw", "e164"),
    [
        ("010-88886666", BEIJING),
        ("01088886666", BEIJING),
        ("(010) 8888 6666", BEIJING),
        ("（010）8888－6666", BEIJING),
        ("010/88886666", BEIJING),
        ("+86 10 8888 6666", BEIJING),
        ("+86 (0)10 8888 6666", BEIJING),
        ("+86-010-88886666", BEIJING),
        ("+01088886666", BEIJING),  # a gateway's plus before a national number
        ("861088886666", BEIJING),
        ("1088886666", BEIJING),  # the 0 lost in a spreadsheet
        ("101088886666", BEIJING),  # trunk 1
        ("+86 10 6171 0476", "+861061710476"),  # begins as SMS ports do, 106
        ("1061710476", "+861061710476"),
        ("0755 8888 6666", SHENZHEN_LINE),
        ("(0755)88886666", SHENZHEN_LINE),
        ("75588886666", SHENZHEN_LINE),
        ("1075588886666", SHENZHEN_LINE),
        ("17951075588886666", SHENZHEN_LINE),
        ("tel:88886666;phone-context=+86755", SHENZHEN_LINE),
        ("电话 0755-88886666", SHENZHEN_LINE),
        ("0393-8888666", "+863938888666"),  # seven digits in smaller towns
        ("0898-66668888", "+8689866668888"),
        ("020 8888 6666", "+862088886666"),
        ("010-80035467", "+861080035467"),  # a range the plan keeps for toll-free numbers
        ("107557002505", "+867557002505"),  # a length the plan does not list for Shenzhen: kept all the same
    ],
)
def test_fixed_lines(raw: str, e164: str) -> None:
    """A fixed line is known with its area code."""
    number = identify(raw)
    assert (number.kind, number.e164, number.ext) == (Kind.FIXED, e164, None)


@pytest.mark.parametrize(
    ("raw", "area", "e164"),
    [
        ("88886666", "0755", SHENZHEN_LINE),
        ("8888-6666", "755", SHENZHEN_LINE),
        ("8888 6666", "+86755", SHENZHEN_LINE),
        ("+86 88886666", "0755", SHENZHEN_LINE),
        ("88886666", "010", BEIJING),
        ("8888666", "0393", "+863938888666"),
        ("86955888", "0755", "+8675586955888"),  # a local number that begins with 86 is no country code
        ("sip:88886666@pbx", "0755", SHENZHEN_LINE),
    ],
)
def test_local_numbers(raw: str, area: str, e164: str) -> None:
    """A local number belongs to the area of the line."""
    assert (identify(raw, area).kind, identify(raw, area).e164) == (Kind.FIXED, e164)


@pytest.mark.parametrize("area", [None, "", "0999999", "abc", "01", "0755\n;"])
def test_local_number_without_area(area: str | None) -> None:
    """A local number without a real area code is nobody."""
    assert (identify("88886666", area).kind, identify("88886666", area).e164) == (Kind.INVALID, None)


def test_area_and_whole_numbers() -> None:
    """The area code of the line does not touch whole numbers."""
    for raw, e164 in (("15400001234", MOBILE), ("01088886666", BEIJING), ("4007002505", HOTLINE)):
        assert identify(raw, SHENZHEN).e164 == e164


@pytest.mark.parametrize(
    "raw",
    [
        "010-88886666-8012",
        "010-8888-6666-8012",
        "01088886666-8012",
        "01088886666转8012",
        "01088886666 转 8012",
        "01088886666转分机8012",
        "010-88886666分机8012",
        "010-88886666 分机号：8012",
        "010-88886666 ext 8012",
        "010-88886666 ext. 8012",
        "010-88886666 Ext.8012",
        "010-88886666 extension 8012",
        "010-88886666x8012",
        "010-88886666#8012",
        "010-88886666*8012",
        "010-88886666,8012",
        "010-88886666，8012",
        "010-88886666(8012)",
        "（010）88886666（转8012）",
        "+86-10-88886666#8012",
        "０１０－８８８８６６６６转８０１２",
        "tel:+86-10-8888-6666;ext=8012",
    ],
)
def test_extensions(raw: str) -> None:
    """An extension behind a switchboard is told apart."""
    number = identify(raw)
    assert (number.kind, number.e164, number.ext) == (Kind.FIXED, BEIJING, "8012")


@pytest.mark.parametrize(
    "raw", ["010-61710476-8012", "+86-10-61710476#8012", "10-61710476-8012", "+86 10 6171 0476 转 8012"]
)
def test_a_beijing_line_is_no_sms_port(raw: str) -> None:
    """10 6171 0476 with an extension behind has the digits of a sender of short messages."""
    assert (identify(raw).e164, identify(raw).ext) == ("+861061710476", "8012")


@pytest.mark.parametrize(
    ("raw", "ext"), [("0393-8888666-8", "8"), ("0393-8888666-801", "801"), ("88886666-80123", "80123")]
)
def test_extension_lengths(raw: str, ext: str) -> None:
    """Extensions have one to six digits."""
    assert identify(raw, SHENZHEN).ext == ext


def test_an_extension_behind_a_line_the_plan_does_not_list() -> None:
    """Kept as the line itself is."""
    number = identify("010-80035467-6163")
    assert (number.e164, number.ext) == ("+861080035467", "6163")


def test_a_delivery_platforms_relay_keeps_its_extension() -> None:
    """Thousands of couriers and shops share such a mobile; the digits behind it say which."""
    assert (identify("15400001234转5678").e164, identify("15400001234转5678").ext) == (MOBILE, "5678")


@pytest.mark.parametrize(
    "raw",
    [
        "4007002505",
        "400-700-2505",
        "400 7002505",
        "+864007002505",
        "864007002505",
        "00864007002505",
        "+4007002505",  # no country's number: the gateway only put its plus there
        "04007002505",
        "0571-4007002505",  # an area code that a carrier put before it
        "0104007002505",
        "+865714007002505",
        "5714007002505",
        "sip:4007002505@pbx;user=phone",
    ],
)
def test_400_numbers(raw: str) -> None:
    """A 400 number is a hotline, whatever carriers put before it."""
    assert (identify(raw).kind, identify(raw).e164) == (Kind.HOTLINE, HOTLINE)


def test_800_number() -> None:
    """An 800 number is a hotline."""
    assert (identify("800-810-8888").kind, identify("800-810-8888").e164) == (Kind.HOTLINE, "+868008108888")


@pytest.mark.parametrize(
    "raw",
    [
        "110", "119", "120", "122", "114", "10086", "10010", "10000", "12345", "12315", "12306", "118114", "1008611",
        "10101010", "95588", "95599", "955881", "95105555", "95013123456", "96110", "962288", "+8695588", "8695588",
        "0086 10086", "010086", "0755-12345", "01012345", "021-110", "10655020012345", "106550200123456789",
        "1069 1234 5678", "sip:95588@10.0.0.1", "tel:12345;phone-context=+86", "95588转1",
    ],
)  # fmt: skip
def test_short_codes(raw: str) -> None:
    """Short codes are services: nobody's identity, no E.164."""
    assert (identify(raw).kind, identify(raw).e164) == (Kind.SERVICE, None)


@pytest.mark.parametrize(
    ("raw", "digits"),
    [
        ("8012", "8012"),
        ("801", "801"),
        ("1001", "1001"),
        ("sip:8012@10.0.0.1", "8012"),
        ("转8012", "8012"),
        ("分机 8012", "8012"),
        ("ext. 801", "801"),
        ('"前台" <sip:8012@pbx>', "8012"),
        ("８０１２", "8012"),
    ],
)
def test_our_extensions(raw: str, digits: str) -> None:
    """Three or four digits are an extension of ours."""
    number = identify(raw)
    assert (number.kind, number.e164, number.ext) == (Kind.EXTENSION, None, digits)


@pytest.mark.parametrize(
    ("raw", "e164"),
    [
        ("0085291234567", "+85291234567"),
        ("00852 9123 4567", "+85291234567"),
        ("+852-9123-4567", "+85291234567"),
        ("85291234567", "+85291234567"),
        ("+853 6612 3456", "+85366123456"),
        ("+886 912 345 678", "+886912345678"),
        ("886912345678", "+886912345678"),
        ("00886 2 2345 6789", "+886223456789"),
        ("+1 202 555 0123", "+12025550123"),
        ("001-202-555-0123", "+12025550123"),
        ("+44 (0)20 7946 0958", "+442079460958"),
        ("tel:2079460958;phone-context=+44", "+442079460958"),
    ],
)
def test_foreign(raw: str, e164: str) -> None:
    """Other countries are foreign; Hong Kong, Macau and Taiwan too, as their networks are."""
    assert (identify(raw).kind, identify(raw).e164) == (Kind.FOREIGN, e164)


@pytest.mark.parametrize(
    "raw",
    [
        None, "", " ", "anonymous", "Anonymous", "ANONYMOUS", "unavailable", "Restricted", "unknown", "<unknown>", "<>",
        "private", "Withheld", "null", "None", "匿名", "未知号码", '"Anonymous" <sip:anonymous@anonymous.invalid>',
        "sip:anonymous@anonymous.invalid", "sip:restricted@10.0.0.1", "SIP:Unavailable@host;user=phone",
        "Anonymous <sip:anonymous@anonymous.invalid>;tag=1", '""',
    ],
)  # fmt: skip
def test_withheld(raw: str | None) -> None:
    """A caller who does not show a number is withheld."""
    number = identify(raw, SHENZHEN)
    assert (number.kind, number.e164, number.ext) == (Kind.WITHHELD, None, None)


@pytest.mark.parametrize(
    "raw",
    [
        "1", "12", "54321", "154000", "1540000123", "154000012345", "075588", "00", "+", "+86", "-", "()", "+86154",
        "110101199003078515", "123456789012345678901234567890", "12025550123", "+999123456789", "0123456789",
        "++8615400001234", "15400001234 15400005678", "15400001234/15400005678", "10.0.0.1", "192.168.1.100:5060",
        "sip:10.0.0.1", "sip:pbx.test", "call me", "1-800-FLOWERS", "13x", "一三八零零", "☎️", "🙂🙂", "²³", "\ud800",
        "15400001234;DROP TABLE", "15400001234\n", "15400001234\r\nEvent: Hangup", "154\x0000001234",
        "sip:154%0d%0a00001234@x", "15400001234" * 40,
    ],
)  # fmt: skip
def test_garbage(raw: str) -> None:
    """What is no number is invalid, and nothing breaks."""
    assert (identify(raw).kind, identify(raw).e164) == (Kind.INVALID, None)


def test_raw() -> None:
    """The raw text is kept as it came."""
    assert identify(" +86 154-0000-1234 ").raw == " +86 154-0000-1234 "
    assert identify(None).raw == ""


NUMBERISH = st.text(alphabet="0123456789+-() .,;#*/转ext分机@:<>\"'%sipteluserphone=８＋－\u202d\r\n\x00", max_size=40)


@given(
    st.one_of(st.none(), st.text(max_size=300), NUMBERISH), st.one_of(st.none(), st.text(max_size=8), st.just("0755"))
)
def test_never_raises(raw: str | None, area: str | None) -> None:
    """No text at all raises; E.164 is there exactly for the kinds that have one, and well formed."""
    number = identify(raw, area)
    reachable = number.kind in (Kind.MOBILE, Kind.FIXED, Kind.HOTLINE, Kind.FOREIGN)
    assert (number.e164 is not None) == reachable
    if number.e164 is not None:
        assert number.e164[0] == "+"
        assert number.e164[1:].isascii()
        assert number.e164[1:].isdigit()
        assert len(number.e164) <= 16


@given(NUMBERISH, st.sampled_from([None, "010", "0755", "0393"]))
def test_what_was_understood_once_is_understood_the_same_again(raw: str, area: str | None) -> None:
    """The E.164 of a number identifies as itself: a customer stored by it is found by it."""
    number = identify(raw, area)
    if number.e164 is not None:
        again = identify(number.e164)
        assert (again.e164, again.kind) == (number.e164, number.kind)
