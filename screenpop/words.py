"""What codes of the other rooms are called on a page. Source texts are English; the catalogues hold the Chinese.

Pure. ``N_`` marks a text for the catalogue and leaves it as it is; :class:`screenpop.i18n.Reader` translates it when
it is shown. Codes that are not here are shown as they are: a newer room may say more than this one knows.
"""

from collections.abc import Mapping

Words = Mapping[str, str]


def N_(text: str) -> str:  # noqa: N802 - the customary name of the mark
    """Mark a source text for the catalogue."""
    return text


STATUS: Words = {
    "accepted": N_("Accepted"),
    "working": N_("In progress"),
    "solved": N_("Solved"),
    "closed": N_("Closed"),
}
REACH: Words = {"answered": N_("Answered"), "missed": N_("Missed"), "voicemail": N_("Voicemail")}
OUTCOME: Words = {
    "answered": N_("Answered"),
    "abandoned": N_("Gave up"),
    "voicemail": N_("Voicemail"),
    "lost": N_("Lost track"),
}
PHASE: Words = {
    "arrived": N_("Arriving"),
    "queued": N_("Waiting in the queue"),
    "ringing": N_("Ringing"),
    "talking": N_("Talking"),
    "held": N_("On hold"),
    "voicemail": N_("Voicemail"),
    "ended": N_("Ended"),
}
ROLE: Words = {
    "agent": N_("Agent"),
    "supervisor": N_("Supervisor"),
    "admin": N_("Administrator"),
    "auditor": N_("Auditor"),
}
CATEGORY: Words = {
    "无效": N_("Invalid"),
    "表扬": N_("Praise"),
    "投诉": N_("Complaint"),
    "发票": N_("Invoice"),
    "退换": N_("Return or exchange"),
    "报修": N_("Repair"),
    "物流": N_("Delivery"),
    "进度": N_("Progress enquiry"),
    "咨询": N_("Question"),
}
URGENCY: Words = {"高": N_("High"), "中": N_("Medium"), "低": N_("Low")}
SENTIMENT: Words = {"正面": N_("Positive"), "中性": N_("Neutral"), "负面": N_("Negative")}
PART: Words = {
    "issue": N_("What it is about"),
    "category": N_("Category"),
    "urgency": N_("Urgency"),
    "sentiment": N_("Mood"),
    "fact": N_("Detail"),
    "promise": N_("Promise"),
}
FORMAT: Words = {
    "txt": N_("Text"),
    "vtt": N_("WebVTT subtitles"),
    "srt": N_("SubRip subtitles"),
    "json": N_("JSON data"),
    "vcon": N_("vCon container"),
}
TOLD: Words = {
    "arrived": N_("Call arrived"),
    "identified": N_("Customer known"),
    "answered": N_("Call answered"),
    "ended": N_("Call ended"),
    "recorded": N_("Recording there"),
    "summarised": N_("Summary there"),
}
RECEIVER: Words = {
    "closed": N_("Is told"),
    "open": N_("Left alone for now"),
    "half_open": N_("Being tried"),
    "gone": N_("Wants to hear no more"),
}
SPEAKER: Words = {"caller": N_("Caller"), "agent": N_("Agent")}
LEG: Words = {"mix": N_("Both sides"), "caller": N_("Caller"), "agent": N_("Agent")}
RECORDING: Words = {"call": N_("The call"), "voicemail": N_("Message left by the caller")}
DETAIL: Words = {
    "order_no": N_("Order number"),
    "ticket_no": N_("Ticket number"),
    "model": N_("Product model"),
    "fault_code": N_("Fault code"),
    "phone": N_("Phone number"),
    "id_card": N_("ID card"),
    "bank_card": N_("Bank card"),
    "tax_no": N_("Tax number"),
    "email": N_("E-mail"),
    "amount": N_("Amount"),
    "date": N_("Date"),
    "time": N_("Time"),
    "address": N_("Address"),
}
KIND: Words = {
    "mobile": N_("Mobile"),
    "fixed": N_("Landline"),
    "hotline": N_("400 or 800 number"),
    "service": N_("Service number"),
    "extension": N_("Internal extension"),
    "foreign": N_("Outside the mainland"),
    "withheld": N_("Number withheld"),
    "invalid": N_("Not a valid number"),
}
WHY: Words = {
    "answered_elsewhere": N_("a colleague answered"),
    "gave_up": N_("the caller hung up"),
    "no_answer": N_("not answered"),
    "rejected": N_("rejected"),
    "transferred": N_("transferred"),
    "ended": N_("call ended"),
    "lost": N_("lost track of the call"),
}
EVENT: Words = {
    "arrived": N_("Call arrived"),
    "confirmed": N_("Call confirmed"),
    "queued": N_("Entered queue {subject}"),
    "rang": N_("Rang at {subject}"),
    "stopped": N_("Stopped ringing at {subject}"),
    "answered": N_("{subject} answered"),
    "left": N_("{subject} left the call"),
    "held": N_("{subject} put the caller on hold"),
    "resumed": N_("{subject} took the caller back"),
    "recorded": N_("Recording reported"),
    "left_message": N_("Caller left a message"),
    "routed": N_("Routed"),
    "ended": N_("Call ended"),
    "completed": N_("Completed from the PBX's own records"),
}
ROUTE: Words = {
    "ticket_owner": N_("has the open ticket"),
    "key_account": N_("looks after this customer"),
    "last_agent": N_("spoke with the caller last"),
    "menu": N_("by the key pressed"),
    "line": N_("as for every call"),
    "late": N_("the caller was not recognised in time"),
}
TIMELINE: Words = {
    "opened": N_("Ticket opened by a call"),
    "joined": N_("Another call joined"),
    "split": N_("A call was moved to a ticket of its own"),
    "customer": N_("Customer recognised"),
    "chosen": N_("Customer chosen"),
    "unchosen": N_("Choice of the customer taken back"),
    "owner": N_("Taken over"),
    "ended": N_("Call ended"),
    "recording": N_("Recording added"),
    "said": N_("Transcript and summary added"),
    "alarm": N_("Something is wrong with the recording"),
    "moved": N_("Status changed"),
    "edited": N_("Edited"),
    "corrected": N_("Summary corrected"),
    "noted": N_("Note"),
    "completed": N_("A call was completed from the PBX's own records"),
    "crm": N_("Changed in the customer system"),
    "callback": N_("Callback"),
}
CALLBACK: Words = {
    "waiting": N_("To be called back"),
    "calling": N_("Being called back"),
    "reached": N_("Reached"),
    "not_reached": N_("Not reached yet"),
    "done": N_("Settled without a call"),
}
TRIED: Words = {
    "no_answer": N_("nobody answered"),
    "busy": N_("was busy"),
    "failed": N_("could not be connected"),
}
ALARM: Words = {
    "recording_missing": N_("There is no recording of this call."),
    "recording_silent": N_("The recording is silent."),
    "recording_one_sided": N_("Only one side can be heard in the recording."),
    "recording_faint": N_("One side can hardly be heard in the recording."),
    "recording_clipped": N_("The recording is too loud and distorted."),
    "recording_empty": N_("The recording is empty."),
    "recording_unreadable": N_("The recording cannot be read."),
    "recording_truncated": N_("The recording breaks off."),
    "recording_orphan": N_("A recording was found that belongs to no call."),
    "transcription_failed": N_("The recording could not be transcribed."),
}
LINK: Words = {
    "up": N_("connected"),
    "down": N_("not connected"),
    "refused": N_("the PBX refuses our login"),
    "gap": N_("events were lost; catching up"),
}
CRM_WORK: Words = {
    "lookup": N_("Who is calling"),
    "write": N_("Calls and tickets written there"),
    "feed": N_("What changes there"),
}
CAUSE: Words = {"category": N_("Category"), "fault_code": N_("Fault code"), "model": N_("Product model")}
GAP: Words = {"not_running": N_("The service was not running.")}
INDEX: Words = {
    "learns": N_("The customer system does not list its customers: those who called are known."),
    "loading": N_("Reading all customers for the first time"),
    "reloading": N_("Reading all customers again"),
    "following": N_("Up to date"),
    "loaded": N_("Read; changes are read at night"),
}
JOBS: Words = {"ready": N_("waiting"), "running": N_("running"), "dead": N_("given up")}

# What the desk's own modules say. {holes} are filled in the browser.
DESK: Words = {
    "withheld": N_("Number withheld"),
    "withheld_hint": N_("The caller hides the number. Please ask who is calling."),
    "queue": N_("Queue {queue}"),
    "purchases": N_("Last purchases"),
    "contracts": N_("Contracts"),
    "until": N_("until {day}"),
    "open_tickets": N_("Open tickets"),
    "owner": N_("looked after by {owner}"),
    "several": N_("This number belongs to {count} customers. Please ask who is calling."),
    "looking": N_("Looking up the caller…"),
    "problem.late": N_("The customer system has not answered yet."),
    "problem.down": N_("The customer system cannot be reached. This may be a customer all the same."),
    "copy.late": N_("The customer system has not answered yet. This is what it said at {at}."),
    "copy.down": N_("The customer system cannot be reached. This is what it said at {at}."),
    "crm_tickets": N_("Open in the customer system"),
    "unknown": N_("No customer has this number."),
    "no_ticket_yet": N_("The ticket is being made…"),
    "ticket": N_("Ticket {number}"),
    "joined": N_("added to an open ticket"),
    "state.ringing": N_("Ringing"),
    "state.talking": N_("Talking"),
    "state.held": N_("On hold"),
    "reason.mobile": N_("Same mobile number: {number}"),
    "reason.fixed_ext": N_("Same number and extension: {number}"),
    "reason.fixed": N_("Same landline: {number}"),
    "reason.switchboard": N_("Same switchboard, extension unknown: {number}"),
    "reason.other": N_("Same number: {number}"),
    "reason.entered": N_("Entered by hand"),
    "deaf.off": N_("No connection: calls may be ringing that are not shown here. Reconnecting by itself."),
    "deaf.out": N_("Your login has ended: calls are not shown any more. Please log in again."),
    **{f"kind.{code}": text for code, text in KIND.items()},
    **{f"status.{code}": text for code, text in STATUS.items()},
    **{f"why.{code}": text for code, text in WHY.items()},
}
CALL: Words = {
    "play": N_("Play"),
    "pause": N_("Pause"),
    "found": N_("{here} of {count}"),
    "used": N_("Used in the summary ({count}): show where"),
    "correct.offline": N_("No connection: this was not saved. Please try again."),
    "correct.unsound": N_("A summary cannot hold that: please check what you entered."),
    "correct.meanwhile": N_(
        "Somebody else corrected this summary while you were typing. Look at it again, then correct it."
    ),
    "correct.failed": N_("This could not be saved. Please try again."),
    "key.play": N_("Play or pause"),
    "key.back": N_("5 seconds back"),
    "key.on": N_("5 seconds on"),
    "key.far_back": N_("10 seconds back"),
    "key.far_on": N_("10 seconds on"),
    "key.slower": N_("Slower"),
    "key.faster": N_("Faster"),
    "key.quiet": N_("Skip silence"),
    "key.previous": N_("Previous turn"),
    "key.next": N_("Next turn"),
    "key.find": N_("Search in what was said"),
}
DIFFERENCE: Words = {
    "missing": N_("Never written there"),
    "gone": N_("Taken away there"),
    "twice": N_("There twice"),
    "customer": N_("On another customer there"),
    "ours_newer": N_("The status is newer here"),
    "theirs_newer": N_("The status is newer there"),
    "apart": N_("The statuses differ, and both sides know"),
    "unnamed": N_("Their status has no name here"),
    "altered": N_("The note was altered there"),
    "refused": N_("The customer system refused it"),
    "copy": N_("Our copy of the customer is another"),
    "nobody": N_("There is no such customer there (any more)"),
}
MEND: Words = {
    "call": N_("writes the note again"),
    "ticket": N_("writes the ticket again"),
    "follow": N_("takes their status"),
    "assign": N_("takes their customer"),
    "refresh": N_("reads the customer again"),
    "search": N_("searches the customer again"),
    "close": N_("closes the copy there"),
    "person": N_("only a person can tell"),
}
