"""Are the queues there, and is everybody in them somebody here? Pure."""

import re
from collections.abc import Sequence

from hotline.doctor.catalogue import Code
from hotline.doctor.entry import Entry
from hotline.doctor.finding import Report
from hotline.doctor.gathered import Case, Member
from hotline.doctor.walk import arguments
from telephony.phones import Phones

_VARIABLE = re.compile(r"\$\{(\w+)\}")
_INVALID = "4"  # AST_DEVICE_INVALID


def judge(case: Case, entry: Entry | None, report: Report) -> None:
    """The queues our lines lead to; all that hold an agent of ours where that cannot be told."""
    ours = _ours(case, entry)
    names, members = _known(case)
    if names is None:
        report.unknown(case.subject, "queues and their members", "QueueStatus is not answered; give --pbx-config")
        return
    for queue in sorted(ours):
        if queue not in names:
            what = f"calls are led to the queue {queue}, and there is none"
            report.tell(Code.QUEUE_MISSING, f"queue {queue}", what)
        elif not any(member.queue == queue for member in members):
            report.tell(Code.QUEUE_EMPTY, f"queue {queue}", "it has no members now")
    agents = {interface: agent.extension for agent in case.settings.agent for interface in agent.interfaces}
    phones = Phones(case.pbx.trunks, agents)
    staffed = {member.queue for member in members if phones.member(member.interface)}
    looked = [member for member in members if member.queue in (ours & names or staffed)]
    _members(case, phones, looked, report)


def _members(case: Case, phones: Phones, members: Sequence[Member], report: Report) -> None:
    listed = {agent.extension for agent in case.settings.agent}
    missing = _missing_endpoints(case)
    people = set()
    for member in members:
        subject = f"queue {member.queue}, member {member.interface}"
        extension = phones.member(member.interface)
        if extension is None:
            what = f"{member.name or member.interface} is called as {member.interface}, which is nobody's phone here"
            report.tell(Code.MEMBER_UNKNOWN, subject, what, f'interfaces = ["{member.interface}"] of its [[agent]]')
        elif listed and extension not in listed:
            what = f"extension {extension} is no [[agent]], and others are listed"
            report.tell(Code.MEMBER_UNLISTED, subject, what)
        else:
            people.add(extension)
        device = member.device or member.interface
        if member.status == _INVALID or device in missing:
            report.tell(Code.MEMBER_INVALID, subject, f"the PBX knows no device {device}")
    if case.extensions:  # none at all: nobody has been added yet, or pages are not used
        for extension in sorted(people - case.extensions):
            report.tell(Code.NO_LOGIN, f"extension {extension}", "it is in a queue, and nobody logs in for it")
    if people:
        report.well(case.subject, f"queue members are the agents {', '.join(sorted(people))}")


def _ours(case: Case, entry: Entry | None) -> set[str]:
    """Queues that the dialplan or our own routing names for our lines."""
    found = {name for line in case.settings.line for name in (line.routing.queue, *line.routing.menu.values()) if name}
    for way in entry.ways if entry is not None else ():
        for met in way.walk.apps("Queue"):
            variable = _VARIABLE.fullmatch(arguments(met.raw)[0])
            several = way.walk.assigned.get(variable[1], set()) if variable else set()
            found |= {name for name in (arguments(met.args)[0], *several) if name and "$" not in name}
    return found


def _known(case: Case) -> tuple[frozenset[str] | None, Sequence[Member]]:
    """What the running PBX says, else its file."""
    if case.answers.queues is not None:
        return case.answers.queues, case.answers.members
    conf = case.files.confs.get("queues.conf") if case.files else None
    if conf is None:
        return None, ()
    members = []
    for section in conf.users:
        for value in section.all("member"):
            interface, _penalty, name, device, *_ = [*arguments(value), "", "", ""]
            members.append(Member(section.name, name, interface, device or interface, ""))
    return frozenset(section.name for section in conf.users), members


def _missing_endpoints(case: Case) -> frozenset[str]:
    """PJSIP phones that members name and pjsip.conf does not have, where there is no running PBX to ask."""
    conf = case.files.confs.get("pjsip.conf") if case.files and case.answers.queues is None else None
    if conf is None or conf.gaps:
        return frozenset()
    there = {section.name for section in conf.users if section.get("type") == "endpoint"}
    _, members = _known(case)
    return frozenset(m.device for m in members if m.device.startswith("PJSIP/") and m.device[6:] not in there)
