"""Who sees a caller's number in full, and that it is written down when somebody does.

- In lists nobody does: they are what a shared screen shows all day. 138****5678 tells callers apart.
- A page about one call, ticket or customer shows it to whoever has :attr:`Right.NUMBERS`; each look is audited, one
  entry for ten minutes.
- A card on the desk shows it: the telephone beside it does, too. On whose desk it was is kept with the call.
- Programs get it with the scope ``numbers``, in lists as well, audited likewise.
"""

from aiohttp import web

from screenpop.accounts import SESSION, come_from, whose
from screenpop.deps import DEPS
from screenpop.lately import Lately
from screenpop.rights import Right, Role, may
from screenpop.route import Scope
from screenpop.tokens import PROGRAM
from storage.audit import What

LOOKS: web.AppKey[Lately] = web.AppKey("looks", Lately)


def may_see(request: web.Request) -> bool:
    """Whether whoever asks may see callers' numbers at all."""
    program = request.get(PROGRAM)
    scoped = program is None or Scope.NUMBERS.value in program.scopes
    return scoped and may(Role(request[SESSION].user.role), Right.NUMBERS)


async def in_full(request: web.Request, subject: str) -> bool:
    """Whether whoever asks sees the number of this one call, ticket or customer in full. That they did is audited."""
    if not may_see(request):
        return False
    await _write_down(request, subject)
    return True


async def lists_in_full(request: web.Request) -> bool:
    """Whether numbers in a list are shown in full: to programs that may."""
    return PROGRAM in request and await in_full(request, request.path)


async def _write_down(request: web.Request, subject: str) -> None:
    deps, session = request.app[DEPS], request[SESSION]
    now = deps.now()
    if request.method == "HEAD":
        return
    ip = come_from(request).ip
    await request.app[LOOKS].once(
        (whose(session), subject),
        now,
        lambda: deps.audit.add(session.user.login, What.SHOWN, subject, now, ip=ip),
    )
