"""What the CRM's people read where a repair touched a record of theirs."""

from screenpop.i18n import Reader
from screenpop.words import N_

COPY_CLOSED = N_("A copy of {record}, which is ticket {number} of the call centre: closed, so that there is one.")


def copy_closed(reader: Reader, *, number: str, record: str) -> str:
    """On a copy of the record of a ticket of ours."""
    return reader.say(COPY_CLOSED).format(number=number, record=record)
