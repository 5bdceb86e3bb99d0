"""Which numbers are called from here, and how they are dialled in mainland China. Pure."""

from numbering.number import Kind, Number

_CHINA = "+86"


def dialled(number: Number, *, abroad: bool = False) -> str | None:
    """The digits to dial; None for what is not called from here.

    Called are mobiles (as they stand), fixed lines (with 0 and their area code) and 400 and 800 numbers; other
    countries, Hong Kong, Macau and Taiwan too, only where ``abroad`` says so (00 before the country code): calls there
    are what a stolen login is used for. Short codes are not: behind 95xxx, 96xxx and 16xxx stand switchboards and paid
    services, behind 110 and 120 people who have other work. Nor are extensions: colleagues are called by phone.
    """
    if number.e164 is None:
        return None
    national = number.e164.removeprefix(_CHINA)
    match number.kind:
        case Kind.MOBILE | Kind.HOTLINE:
            return national
        case Kind.FIXED:
            return f"0{national}"
        case Kind.FOREIGN if abroad:
            return f"00{number.e164.removeprefix('+')}"
    return None
