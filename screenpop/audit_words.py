"""What deeds in the audit trail are called, and what they were done to. Pure."""

from collections.abc import Callable, Mapping
from typing import Any

from numbering.display import mask
from numbering.identify import identify
from screenpop.words import N_, Words
from storage.audit import What

DEED: Words = {
    "listened": N_("Listened to a recording"),
    "downloaded": N_("Downloaded a recording"),
    "looked": N_("Looked at"),
    "shown": N_("Saw a number in full"),
    "logged_in": N_("Logged in"),
    "logged_out": N_("Logged out"),
    "login_refused": N_("Login refused"),
    "session_ended": N_("Ended a login"),
    "password_changed": N_("Changed the password"),
    "code_refused": N_("Second factor refused"),
    "second_factor_set": N_("Set up a second factor"),
    "second_factor_removed": N_("Removed a second factor"),
    "recovery_codes_made": N_("Made recovery codes"),
    "recovery_code_used": N_("Used a recovery code"),
    "identity_linked": N_("Linked an account of the identity provider"),
    "user_added": N_("Added a user"),
    "user_changed": N_("Changed a user"),
    "user_removed": N_("Removed a user"),
    "program_added": N_("Made a token"),
    "program_removed": N_("Revoked a token"),
    "exported": N_("Downloaded a call as a file"),
    "job_replayed": N_("Had a job done again"),
    "recording_deleted": N_("Recording deleted by policy"),
    "recording_sealed": N_("Recording encrypted"),
    "recording_dropped": N_("Original recording removed"),
    "recording_opened": N_("Opened an encrypted recording"),
    "seated": N_("Changed the phone"),
    "dialled": N_("Called a number"),
    "person_exported": N_("Exported one person’s data"),
    "person_erased": N_("Erased one person’s data"),
}

# Of subjects that are no call, login or receiver: how they begin, and what they are called.
KINDS: Words = {
    "ticket ": N_("Ticket {name}"),
    "customer ": N_("Customer {name}"),
    "number ": N_("Number {name}"),
    "erased:": N_("An erased person {name}"),
    "job ": N_("Job {name}"),
}
WHOLE: Words = {
    "audit": N_("The audit trail"),
    "all dead jobs": N_("All jobs that were given up"),
    "number": N_("A number"),
    "customer": N_("A customer"),
}
DETAIL: Words = {
    "before": N_("before"),
    "bytes": N_("bytes"),
    "call": N_("call"),
    "callback": N_("missed caller"),
    "calls": N_("calls"),
    "count": N_("count"),
    "delivery": N_("delivery"),
    "erasure": N_("erasure"),
    "expires": N_("expires"),
    "extension": N_("extension"),
    "file": N_("file"),
    "files": N_("files"),
    "format": N_("format"),
    "from": N_("from phone"),
    "issuer": N_("identity provider"),
    "kind": N_("kind"),
    "leg": N_("voice"),
    "line": N_("line"),
    "masked": N_("masked"),
    "name": N_("name"),
    "person": N_("with one person’s data"),
    "provider": N_("identity provider"),
    "receiver": N_("receiver"),
    "recordings": N_("recordings"),
    "resumed": N_("resumed"),
    "role": N_("role"),
    "scopes": N_("scopes"),
    "tickets": N_("tickets"),
    "token": N_("token"),
    "unmasked": N_("without the tone"),
}

_YES = N_("yes")
_OF_THINGS = frozenset(  # others are done to logins, which may be spelt like any of these
    {What.LOOKED, What.SHOWN, What.DIALLED, What.JOB_REPLAYED, What.PERSON_EXPORTED, What.PERSON_ERASED}
)


def subject(what: What, text: str) -> str:
    """What something was done to, as the trail tells it; a number that was dialled masked, as in every list."""
    if what is not What.DIALLED or text.startswith("erased:"):
        return text
    return mask(identify(text))


def named(what: What, text: str, say: Callable[[str], str]) -> str:
    """The same for people, in their language."""
    if what not in _OF_THINGS:
        return text
    if text in WHOLE:
        return say(WHOLE[text])
    for begins, called in KINDS.items():
        if text.startswith(begins):
            return say(called).format(name=text.removeprefix(begins))
    return subject(what, text)


def details(detail: Mapping[str, Any] | None, say: Callable[[str], str]) -> list[tuple[str, str]]:
    """What more is told of a deed, for people; what has no name in their language as it is called."""
    found = []
    for name, value in (detail or {}).items():
        if value is not None:
            text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
            yes = value is True
            found.append((say(DETAIL[name]) if name in DETAIL else name, say(_YES) if yes else text))
    return found
