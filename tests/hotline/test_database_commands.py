"""``hotline migrate``, ``user``, ``jobs`` and ``audit`` as an operator types them."""

import asyncio
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from hotline.cli import main
from storage.accounts import Accounts, User
from storage.audit import Audit, What
from storage.database import Database
from storage.identities import Identities
from storage.jobs import JobState
from storage.migrate import head
from storage.outbox import Outbox
from storage.records import NewJob
from storage.second_factors import SecondFactors


class Keyboard(io.StringIO):
    """A standard input that is a terminal when nothing is piped into it."""

    def isatty(self) -> bool:
        """Whether somebody sits there."""
        return not self.getvalue() and self.attached

    attached = False


Hotline = Callable[..., tuple[int, str, str]]


@pytest.fixture
def hotline(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Hotline:
    """A command's exit code, stdout and stderr; ``typed`` is its standard input."""
    monkeypatch.chdir(tmp_path)
    for name in ("HOTLINE_CONFIG", "HOTLINE_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)

    def call(*args: str, typed: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr("sys.stdin", Keyboard(typed))
        try:
            code = main(args)
        except SystemExit as left:
            code = int(left.code or 0)
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


def find(url: str, login: str) -> User:
    """A user who must be there."""

    async def look() -> User | None:
        db = Database.open(url)
        try:
            return await Accounts(db).find(login)
        finally:
            await db.close()

    user = asyncio.run(look())
    assert user is not None
    return user


def test_migrate_makes_the_configured_database_and_says_so(hotline: Hotline, tmp_path: Path) -> None:
    """By configuration, by option; a second time there is nothing to do."""
    (tmp_path / "hotline.toml").write_text('[database]\nurl = "sqlite+aiosqlite:///a.db"\n', encoding="utf-8")
    assert hotline("migrate", "--json") == (0, json.dumps({"before": None, "after": head()}) + "\n", "")
    code, out, _ = hotline("migrate")
    assert (code, "already" in out) == (0, True)
    assert (tmp_path / "a.db").is_file()
    code, out, _ = hotline("migrate", "--database", f"sqlite+aiosqlite:///{tmp_path}/b.db")
    assert (code, "from version nothing to" in out) == (0, True)


@pytest.mark.parametrize("command", ["user", "jobs", "audit", "token"])
def test_commands_name_what_is_wrong_with_the_database(hotline: Hotline, tmp_path: Path, command: str) -> None:
    """Not there yet, no database, no address, no configuration: a sentence and code 2, no traceback."""
    (tmp_path / "garbage.db").write_bytes(b"garbage " * 999)
    cases = [
        (("--database", f"sqlite+aiosqlite:///{tmp_path}/none.db"), "hotline migrate"),
        (("--database", f"sqlite+aiosqlite:///{tmp_path}/garbage.db"), "not a hotline database"),
        (("--database", "mysql://x"), "[database] url"),
        (("--config", "missing.toml"), "missing.toml"),
    ]
    for options, expected in cases:
        code, out, err = hotline(command, *options)
        assert (code, out) == (2, "")
        assert expected in err
        assert "Traceback" not in err


def test_a_user_is_added_changed_listed_and_removed(hotline: Hotline, sqlite_url: str) -> None:
    """With every step in the audit trail and no password in it."""
    at = ("--database", sqlite_url)
    person = ("--name", "李雷", "--extension", "1001")
    assert hotline("user", *at, "add", "Li", *person, "--password-stdin", typed="correct horse\n")[0] == 0
    assert PasswordHasher().verify(find(sqlite_url, "li").password, "correct horse")
    assert find(sqlite_url, "li").password.startswith("$argon2id$")
    assert hotline("user", *at, "change", "li", "--role", "supervisor", "--extension", "", "--disable")[0] == 0
    changed = find(sqlite_url, "li")
    assert (changed.role, changed.extension, changed.active, changed.name) == ("supervisor", None, False, "李雷")
    code, out, _ = hotline("user", *at, "--json")
    assert (code, json.loads(out)["login"]) == (0, "li")
    assert "password" not in out
    assert hotline("user", *at, "remove", "li")[0] == 0
    assert hotline("user", *at) == (0, "", "")
    code, out, _ = hotline("audit", *at, "--json", "--who", "cli")
    rows = [json.loads(line) for line in out.splitlines()]
    assert [row["what"] for row in rows] == ["user_removed", "user_changed", "user_added"]
    assert "horse" not in out
    assert "argon2" not in out


def test_a_token_is_made_listed_and_revoked(hotline: Hotline, sqlite_url: str) -> None:
    """Printed once; never for more than its owner's role reaches; every step in the audit trail."""
    at = ("--database", sqlite_url)
    assert hotline("user", *at, "add", "li", "--generate")[0] == 0
    code, out, _ = hotline("token", *at, "--json", "add", "li", "--name", "报表", "--scope", "calls", "--no-end")
    made = json.loads(out)
    assert (code, made["login"], made["scopes"], made["expires"]) == (0, "li", ["calls"], None)
    assert made["secret"].startswith("hotline_")
    code, out, err = hotline("token", *at, "add", "li", "--name", "x", "--scope", "status")
    assert (code, out, "may not" in err) == (1, "", True)
    assert hotline("token", *at, "add", "nobody", "--name", "x", "--scope", "calls")[0] == 1
    assert hotline("token", *at, "add", "li")[0] == 2
    assert hotline("token", *at, "revoke", "one")[0] == 2
    code, out, _ = hotline("token", *at, "list", "li")
    assert (code, "报表" in out, made["secret"] in out) == (0, True, False)
    assert hotline("token", *at, "revoke", str(made["id"]))[0] == 0
    assert hotline("token", *at, "revoke", str(made["id"]))[0] == 1
    assert "revoked" in hotline("token", *at)[1]
    code, out, _ = hotline("audit", *at, "--json", "--subject", "li")
    assert [json.loads(line)["what"] for line in out.splitlines()][:2] == ["program_removed", "program_added"]
    assert made["secret"] not in out


def test_a_made_up_password_is_printed_once_and_works(hotline: Hotline, sqlite_url: str) -> None:
    """Two of them differ."""
    at = ("--database", sqlite_url)
    passwords = []
    for login in ("li", "wang"):
        code, out, _ = hotline("user", *at, "add", login, "--generate")
        assert code == 0
        passwords.append(out.splitlines()[-1].removeprefix("password: "))
        assert PasswordHasher().verify(find(sqlite_url, login).password, passwords[-1])
    assert passwords[0] != passwords[1]
    assert len(passwords[0]) >= 16


def test_a_password_typed_unseen_must_be_typed_twice(
    hotline: Hotline, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And is never echoed."""
    at = ("--database", sqlite_url)
    monkeypatch.setattr(Keyboard, "attached", True)
    monkeypatch.setattr("getpass.getpass", lambda prompt: "correct horse" if "Once" in prompt else "correct house")
    code, out, err = hotline("user", *at, "add", "li")
    assert (code, out) == (2, "")
    assert "differ" in err
    monkeypatch.setattr("getpass.getpass", lambda _prompt: "correct horse")
    code, out, err = hotline("user", *at, "add", "li")
    assert code == 0
    assert "horse" not in out + err
    assert PasswordHasher().verify(find(sqlite_url, "li").password, "correct horse")


@pytest.mark.parametrize(
    ("args", "typed", "code", "said"),
    [
        (("add", "wang", "--password-stdin"), "short\n", 2, "at least 10"),
        (("add", "wang"), "", 2, "--password-stdin or --generate"),
        (("add", "王", "--generate"), "", 2, "a login has"),
        (("add", "li", "--generate"), "", 1, "already"),
        (("add",), "", 2, "takes a LOGIN"),
        (("list", "li"), "", 2, "takes no LOGIN"),
        (("change", "li"), "", 2, "change what?"),
        (("change", "nobody", "--name", "x"), "", 1, "no user"),
        (("remove", "nobody"), "", 1, "no user"),
        (("remove", "li", "--name", "x"), "", 2, "changes nothing"),
        (("add", "wang", "--password-stdin"), "password2026\n", 2, "guessed first"),
        (("add", "wangfang", "--password-stdin"), "wangfang88!\n", 2, "mostly the login"),
        (("add", "wang", "--reset-second-factor"), "", 2, "go with change"),
        (("list", "--unlink"), "", 2, "go with change"),
        (("add", "wang", "--role", "king", "--generate"), "", 2, "invalid choice"),
    ],
)
def test_user_refuses_what_it_cannot_do(
    hotline: Hotline, sqlite_url: str, args: tuple[str, ...], typed: str, *, code: int, said: str
) -> None:
    """2 for a wrong call, 1 when the account does not allow it; what is there stays."""
    at = ("--database", sqlite_url)
    hotline("user", *at, "add", "li", "--generate")
    before = find(sqlite_url, "li")
    got, out, err = hotline("user", *at, *args, typed=typed)
    assert (got, out) == (code, "")
    assert said in err
    assert find(sqlite_url, "li") == before


def test_a_lost_phone_is_forgotten_and_who_it_was_at_the_provider(hotline: Hotline, sqlite_url: str) -> None:
    """The second factor and the sessions go, the identity too where asked; all of it on record."""
    at = ("--database", sqlite_url)
    hotline("user", *at, "add", "li", "--generate")

    async def lived() -> str:
        db = Database.open(sqlite_url)
        try:
            user = await Accounts(db).find("li")
            assert user is not None
            await SecondFactors(db).begin(user.id, "SECRET", 1.0)
            await SecondFactors(db).confirm(user.id, 1, ["code"], 1.0)
            await Identities(db).link(user.id, "https://id.example.cn", "77", 1.0)
            return await Accounts(db).log_in(user, 1.0, 1e12)
        finally:
            await db.close()

    async def session(token: str) -> object:
        db = Database.open(sqlite_url)
        try:
            return await Accounts(db).session(token, 2.0)
        finally:
            await db.close()

    token = asyncio.run(lived())
    assert json.loads(hotline("user", *at, "--json")[1])["second_factor"] is True
    assert asyncio.run(session(token)) is not None
    code, out, _ = hotline("user", *at, "change", "li", "--reset-second-factor", "--unlink", "--json")
    assert (code, json.loads(out)["second_factor"]) == (0, False)
    assert asyncio.run(session(token)) is None
    row = json.loads(hotline("audit", *at, "--json")[1].splitlines()[0])
    assert row["detail"] == {"second_factor_removed": True, "unlinked": True, "password": False}


@pytest.fixture
def three_jobs(sqlite_url: str) -> str:
    """A database with a dead job, a waiting one and a fresh one."""

    async def make() -> None:
        db = Database.open(sqlite_url)
        outbox = Outbox(db)
        async with db.write() as conn:
            for number, kind in enumerate(["crm", "transcribe", "crm"], start=1):
                await outbox.add(conn, NewJob(kind, f"main:{number}", {"call": f"main:{number}"}), 1.0)
        for kind in ("crm", "transcribe"):
            job = await outbox.claim([kind], 2.0, 60.0)
            assert job is not None
            if kind == "crm":
                await outbox.dead(job, "Traceback\n  ...\nKeyError: 'id'", 3.0)
            else:
                await outbox.defer(job, 4_000_000_000.0, "no speech model", 3.0)
        await db.close()

    asyncio.run(make())
    return sqlite_url


def test_jobs_are_listed_with_what_they_wait_for_or_died_of(hotline: Hotline, three_jobs: str) -> None:
    """Newest first, counts on stderr; filtered; as JSON lines."""
    at = ("--database", three_jobs)
    code, out, err = hotline("jobs", *at)
    assert code == 0
    lines = out.splitlines()
    assert [line.split()[0] for line in lines] == ["3", "2", "1"]
    assert "no speech model" in lines[1]
    assert lines[2].endswith("KeyError: 'id'")
    assert "crm: 1 dead" in err
    code, out, _ = hotline("jobs", *at, "--json", "--state", "dead")
    (job,) = [json.loads(line) for line in out.splitlines()]
    assert (job["id"], job["state"], job["payload"]) == (1, "dead", {"call": "main:1"})
    assert hotline("jobs", *at, "--kind", "nothing", "--json")[:2] == (0, "")


def test_a_job_is_shown_whole(hotline: Hotline, three_jobs: str) -> None:
    """Its traceback too; an unknown one is a plain no."""
    at = ("--database", three_jobs)
    code, out, _ = hotline("jobs", *at, "show", "1")
    assert code == 0
    assert "KeyError" in out
    assert json.loads(hotline("jobs", *at, "--json", "show", "2")[1])["why"] == "no speech model"
    code, out, err = hotline("jobs", *at, "show", "99")
    assert (code, out, "no job 99" in err) == (1, "", True)


def test_dead_jobs_are_replayed_by_id_or_all(hotline: Hotline, three_jobs: str) -> None:
    """What is not over is not touched and says so."""
    at = ("--database", three_jobs)
    assert hotline("jobs", *at, "replay", "1") == (0, "1 replayed\n", "")
    code, out, err = hotline("jobs", *at, "--json", "replay", "1", "99")
    assert (code, json.loads(out)) == (1, {"replayed": 0})
    assert "job 99 is not there or not over" in err
    assert hotline("jobs", *at, "replay", "--all-dead") == (0, "0 replayed\n", "")

    async def counts() -> dict[tuple[str, JobState], int]:
        db = Database.open(three_jobs)
        try:
            return await Outbox(db).counts()
        finally:
            await db.close()

    assert asyncio.run(counts()) == {("crm", JobState.READY): 2, ("transcribe", JobState.READY): 1}
    assert "job_replayed job 1" in hotline("audit", *at)[1]


@pytest.mark.parametrize(
    "args", [("replay",), ("replay", "1", "--all-dead"), ("show",), ("show", "1", "2"), ("list", "1"), ("replay", "x")]
)
def test_jobs_refuses_what_it_does_not_understand(hotline: Hotline, sqlite_url: str, args: tuple[str, ...]) -> None:
    """Code 2 and nothing done."""
    code, out, err = hotline("jobs", "--database", sqlite_url, *args)
    assert (code, out) == (2, "")
    assert err


def test_audit_tells_who_listened_since_when(hotline: Hotline, sqlite_url: str) -> None:
    """Dates as people write them; a wrong one is told."""

    async def listen() -> None:
        db = Database.open(sqlite_url)
        await Audit(db).add("boss", What.LISTENED, "main:1", 1_795_147_200.0, {"leg": "rx"}, ip="192.0.2.7")
        await db.close()

    asyncio.run(listen())
    at = ("--database", sqlite_url)
    code, out, _ = hotline("audit", *at, "--subject", "main:1", "--since", "2026-11-20T04:00+00:00")
    assert (code, out.split()[2:5]) == (0, ["boss", "listened", "main:1"])
    assert '{"leg": "rx"} 192.0.2.7' in out
    assert hotline("audit", *at, "--since", "2026-11-20T04:01+00:00")[:2] == (0, "")
    assert hotline("audit", *at, "--what", "downloaded")[:2] == (0, "")
    assert hotline("audit", *at, "--since", "yesterday")[0] == 2
