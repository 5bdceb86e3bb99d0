"""What somebody sees who has configured no PBX yet: a made-up company, its calls, and accounts to log in with.

The accounts are made anew at every such start, with random passwords, and removed as soon as a real PBX is configured.
"""

from dataclasses import dataclass

from argon2 import PasswordHasher

from crm.csvfile import CsvFile
from hotline import demo, passwords
from hotline.commands.import_ import Import, Rejects, Tally
from hotline.settings import Settings
from hotline.telephony_settings import Agent, Line
from screenpop.rights import Role
from storage.accounts import Accounts
from storage.customers import EmbeddedCrm


@dataclass(frozen=True, slots=True)
class DemoAccount:
    """A login of the demo; ``password`` is shown once and kept only as a hash."""

    login: str
    password: str
    role: Role
    name: str
    extension: str | None


def with_demo_company(settings: Settings) -> Settings:
    """The settings with the demo's lines and phones; recordings below the data folder, where its PBX puts them.

    Made-up calls are written into nobody's CRM, and nobody else is told of them: whoever sets up the CRM first and the
    PBX later would find them among the company's own.
    """
    return settings.model_copy(
        update={
            "site": settings.site.model_copy(update={"name": demo.COMPANY}),
            "line": tuple(
                Line(number=line.number, aliases=line.aliases, name=line.name, area=line.area) for line in demo.LINES
            ),
            "agent": tuple(Agent(extension=agent.extension, name=agent.name) for agent in demo.AGENTS),
            "recordings": settings.recordings.model_copy(update={"root": settings.data / "demo-recordings"}),
            "crm": settings.crm.model_copy(update={"write_back": False, "push": ()}),
        }
    )


async def bring_customers(crm: EmbeddedCrm, database_url: str) -> None:
    """Import the demo's customers through the importer, where there are no customers yet."""
    if await crm.count() == 0:
        area = demo.LINES[0].area
        await Import(CsvFile.look_at(demo.CUSTOMERS, None), area, Tally(), Rejects(None)).into(database_url)


async def make_accounts(accounts: Accounts, hasher: PasswordHasher, now: float) -> list[DemoAccount]:
    """Remove the last start's demo accounts and make new ones: every agent, a supervisor, an admin."""
    await accounts.remove_demo()
    wanted: list[tuple[str, str, Role, str | None]] = [
        (f"demo-{agent.extension}", agent.name, Role.AGENT, agent.extension) for agent in demo.AGENTS[:3]
    ]
    wanted += [("demo-boss", "周敏", Role.SUPERVISOR, None), ("demo-admin", "管理员", Role.ADMIN, None)]
    made = []
    for login, name, role, extension in wanted:
        account = DemoAccount(login, passwords.make_up(3), role, name, extension)
        hashed = hasher.hash(account.password)
        await accounts.add(login, name=name, role=role.value, password=hashed, now=now, extension=extension, demo=True)
        made.append(account)
    return made


def announce(address: str, made: list[DemoAccount]) -> str:
    """What is printed for the newcomer."""
    lines = [
        "",
        f"  hotline is running: {address}",
        "",
        "  No PBX is configured, so a built-in one plays calls. Log in as:",
    ]
    for account in made:
        phone = f"phone {account.extension}" if account.extension else ""
        lines.append(f"    {account.login:<12} {account.password}   {account.role.value:<10} {phone}")
    lines += [
        "",
        "  These accounts are made at every start and gone once a PBX is configured. Ctrl-C ends the service.",
        "",
    ]
    return "\n".join(lines)
