"""Which modules of Asterisk a call's way through the dialplan needs. Pure: a table, and a look at a walk."""

import re

from hotline.doctor.walk import Walk

_APPS = {
    "agi": "res_agi", "dial": "app_dial", "gosub": "app_stack", "gosubif": "app_stack", "macro": "app_macro",
    "mixmonitor": "app_mixmonitor", "playback": "app_playback", "queue": "app_queue", "read": "app_read",
    "record": "app_record", "return": "app_stack", "stopmixmonitor": "app_mixmonitor", "system": "app_system",
    "userevent": "app_userevent", "voicemail": "app_voicemail",
}  # fmt: skip
_FUNCTIONS = {
    "CALLERID": "func_callerid", "CHANNEL": "func_channel", "CURL": "func_curl", "CURLOPT": "func_curl",
    "DB": "func_db", "FILTER": "func_strings", "HASH": "func_strings", "IF": "func_logic", "STAT": "func_env",
    "STRFTIME": "func_strings", "URIENCODE": "func_uri",
}  # fmt: skip
_FUNCTION = re.compile(r"\b([A-Z]+)\(")


def used(found: Walk) -> dict[str, str]:
    """Modules by what of the dialplan needs them."""
    needed = {}
    for met in found.met:
        if (module := _APPS.get(met.app.lower())) is not None:
            needed[f"{module}.so"] = f"{met.app}() at {met.where}"
        for name in _FUNCTION.findall(met.raw):
            if (module := _FUNCTIONS.get(name)) is not None:
                needed[f"{module}.so"] = f"{name}() at {met.where}"
    return needed
