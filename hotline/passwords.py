"""Passwords made up for people: typed off a terminal, so nothing in them is misread."""

import secrets

_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # 31 characters: five bits each, nearly


def make_up(groups: int = 4) -> str:
    """A random password of so many groups of four, ``abcd-efgh-...``: about 20 bits a group."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(4)) for _ in range(groups))
