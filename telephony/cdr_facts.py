"""A call that nobody listened to as facts, as if it had been heard: for the ledger alone, never for a card. Pure.

Times are as coarse as the records': whole seconds, and for a queue the earliest at which an agent can have picked up.
Who rang without talking is not told: the records do not say when, nor why it ended.
"""

from telephony.call import Answered, Arrived, CallKey, Confirmed, Ended, Fact, Left, LeftMessage, Outcome, Over, Queued
from telephony.cdr_calls import PastCall


def facts_of(call: PastCall, key: CallKey) -> list[Fact]:
    """The facts in their order, Arrived first and Ended last. ValueError for a call to none of our numbers."""
    if call.number is None:
        raise ValueError(f"{key} is no call of ours")
    facts: list[Fact] = [
        Arrived(
            call=key,
            at=call.arrived,
            caller=call.caller,
            caller_name=call.caller_name,
            number=call.number,
            dialled=call.dialled,
        ),
        Confirmed(call=key, at=call.arrived),
    ]
    happened: list[Fact] = [Queued(call=key, at=at, queue=queue) for queue, at in call.waits]
    for talk in call.talks:
        why = Over.ENDED if talk is call.talks[-1] else Over.TRANSFERRED
        happened.append(Answered(call=key, at=talk.begins, agent=talk.agent, queue=talk.queue))
        happened.append(Left(call=key, at=talk.ends, agent=talk.agent, why=why))
    facts += sorted(happened, key=lambda fact: fact.at or 0.0)
    if call.outcome is Outcome.VOICEMAIL:
        facts.append(LeftMessage(call=key, at=call.ended, file=None))
    facts.append(Ended(call=key, at=call.ended, outcome=call.outcome))
    return facts
