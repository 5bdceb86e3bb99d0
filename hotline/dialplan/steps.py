"""How a dialplan is written: contexts, extensions, steps. Pure text."""


def extension(first: str, *rest: str) -> str:
    """An extension and its further steps; one that begins with ``(name),`` is a step with a label."""
    return "\n".join((f"exten => {first}", *(f" same => n{step if step[0] == '(' else ',' + step}" for step in rest)))


def context(name: str, why: str, *extensions: str) -> str:
    """A context under its comment."""
    said = [f"; {line}" for line in why.splitlines()]
    return "\n".join((*said, f"[{name}]", *extensions)) + "\n"


def comment(text: str) -> str:
    """What an admin wrote, on one line."""
    return " ".join(text.split())
