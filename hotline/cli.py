"""``hotline COMMAND``: results on stdout, all else on stderr. A command's module is loaded only when it is called."""

import argparse
import importlib
import sys
from collections.abc import Sequence

COMMANDS = {
    "serve": "run the service",
    "check": "validate the configuration, naming every fault at once",
    "doctor": "look at the whole installation, the PBX included, and name each fault with its remedy",
    "crm": "ask the CRM: does it answer, has it what the mapping names, whom does it find",
    "dialplan": "print the AMI users and the dialplan that the PBX needs",
    "migrate": "bring the database to this version",
    "backup": "copy the database into a file while the service runs",
    "restore": "put such a copy back while it does not",
    "user": "add, list, change and remove people who log in",
    "token": "make, list and revoke what programs log in with",
    "model": "add or fetch a speech model",
    "import": "import customers from CSV",
    "index": "the copy of the CRM's customers: load it, compare it, look at it",
    "sync": "how far our calls and tickets and the CRM's agree, where not, and repair it",
    "number": "what the service makes of a telephone number",
    "jobs": "look at jobs, replay dead ones",
    "seal": "originals of recordings under lock and key: keys, rotation, verification",
    "audit": "who listened to and looked at what",
    "replay": "tell the calls of a captured AMI stream",
    "transcribe": "transcribe and summarise the two legs of a recording",
    "summarise": "summarise the turns of a conversation",
    "person": "what is kept of one person: shown, exported, erased",
    "search": "find calls by what was said in them, tickets by what stands on them",
    "export": "write conversations as files: WebVTT, SRT, text, JSON, vCon",
    "eval": "how good transcripts and summaries are, held against calls whose truth is known",
}


class UsageError(Exception):
    """A command cannot do what it was asked: the message says what to do instead. Exit code 2."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code (0 done, 1 the answer is no, 2 called wrongly)."""
    args = list(sys.argv[1:] if argv is None else argv)
    name = args[0] if args and args[0] in COMMANDS else None
    parser = argparse.ArgumentParser(prog="hotline", description="Call-center telephony integration for Asterisk.")
    if name is None:
        subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
        for command, text in COMMANDS.items():
            subparsers.add_parser(command, help=text, add_help=False)
        parser.parse_args(args)
        return 2
    command_parser = argparse.ArgumentParser(prog=f"hotline {name}", description=COMMANDS[name])
    module = importlib.import_module(f"hotline.commands.{name.replace('import', 'import_')}")
    module.add(command_parser)
    if "structlog" in sys.modules:  # its own default would log among the results
        importlib.import_module("hotline.logs").configure()
    try:
        return int(module.run(command_parser.parse_args(args[1:])))
    except UsageError as error:
        print(f"hotline {name}: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        return 0


if __name__ == "__main__":
    sys.exit(main())
