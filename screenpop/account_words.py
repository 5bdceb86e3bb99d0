"""What the pages of logins and accounts say. Pure."""

from screenpop.words import N_, Words

WRONG = N_("Login name or password is wrong.")
THROTTLED = N_("Too many failed logins. Please wait a quarter of an hour, or ask the administrator.")
WRONG_CODE = N_("This code is wrong, or was used before. Wait for the next one, and check the clock of your phone.")
SHUT = N_("Too many wrong codes. Use a recovery code, or ask the administrator.")
EXTENSION = N_("An extension is 2 to 8 digits. Leave it empty for your own phone.")
OVER = N_("That took too long. Please log in again.")
NO_PASSWORDS = N_("Passwords do not open this service. Use the identity service.")
WHY_NOT: Words = {
    "over": OVER,
    "provider": N_(
        "The identity service does not answer. Try again in a moment; the administrator sees the cause in the log."
    ),
    "identity": N_(
        "The identity service's answer was not accepted. Begin again; the administrator sees the cause in the log."
    ),
    "stranger": N_("The identity service knows you, but you have no account here. Please ask the administrator."),
}
WRONG_PASSWORD = N_("Your present password is wrong.")
DIFFERENT = N_("The two new passwords differ.")
ALREADY = N_("This was done already, in another window perhaps.")

WEAKNESS: Words = {
    "short": N_("A password has at least 10 characters."),
    "long": N_("This password is too long."),
    "common": N_("This password is one of those that are guessed first. Take a few words that do not belong together."),
    "name": N_("This password is mostly your name or the name of this service."),
    "same": N_("This is your present password."),
}
DONE: Words = {
    "session": N_("That login has ended."),
    "sessions": N_("All other logins have ended."),
    "password": N_("Your password is changed. All other logins have ended."),
    "factor_removed": N_("No code is asked for any more."),
}
