"""What the frame around every page says by its own modules. ``{holes}`` are filled in the browser. Pure."""

from screenpop.words import N_, Words

SHELL: Words = {
    "key.help": N_("Show the keyboard shortcuts"),
    "key.find": N_("Search, or go somewhere"),
    "key.desk": N_("To the desk"),
    "key.tickets": N_("To the tickets"),
    "key.calls": N_("To the calls"),
}
