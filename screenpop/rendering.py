"""Templates into pages, in the reader's language. Everything a template prints is escaped."""

from functools import cache
from typing import Any

from aiohttp import web
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from numbering.display import display, mask
from numbering.identify import identify
from screenpop import words
from screenpop.accounts import LOGINS, SESSION
from screenpop.deps import ASSETS, DEPS
from screenpop.i18n import Reader, choose, translations
from screenpop.rights import Right, Role, may
from screenpop.shell_words import SHELL
from screenpop.words import N_

LANGUAGE_COOKIE = "language"
WORTH_PACKING = 4096  # characters
ICONS = "vendor/tabler-icons-3.51.0/icons.svg"
NAV = (
    ("/desk", N_("Desk"), "headset", Right.DESK),
    ("/tickets", N_("Tickets"), "ticket", Right.READ),
    ("/calls", N_("Calls"), "phone", Right.READ),
)
MANAGE = (  # behind one word, for those who have more than the day's work
    ("/audit", N_("Audit"), "audit", Right.AUDIT),
    ("/privacy", N_("One person’s data"), "shield_lock", Right.PRIVACY),
    ("/deliveries", N_("Deliveries"), "send", Right.STATUS),
    ("/status", N_("Service status"), "activity", Right.STATUS),
)
MENU = (  # behind one's own name
    ("/account", N_("My account"), "user", Right.ACCOUNT),
    ("/api", N_("For programs (API)"), "api", Right.ACCOUNT),
)


@cache
def _environment(language: str) -> Environment:
    environment = Environment(
        loader=PackageLoader("screenpop"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    catalogue = translations(language)
    environment.install_gettext_callables(  # type: ignore[attr-defined] # of the i18n extension
        catalogue.gettext, catalogue.ngettext, newstyle=True
    )
    return environment


def reader(request: web.Request) -> Reader:
    """Who reads: language by choice or browser, the site's time zone."""
    language = choose(request.cookies.get(LANGUAGE_COOKIE), request.headers.get("Accept-Language", ""))
    return Reader(language, request.app[DEPS].zone)


def label(request_reader: Reader, table: str, code: object) -> str:
    """What a code of another room is called (:mod:`screenpop.words`); the code itself where it has no name."""
    text = str(getattr(code, "value", code))
    named: words.Words = getattr(words, table)
    return request_reader.say(named[text]) if text in named else text


def render(request: web.Request, template: str, /, code: int = 200, **values: Any) -> web.Response:
    """A page or a piece of one."""
    assets = request.app[ASSETS]
    deps = request.app[DEPS]
    session = request.get(SESSION)
    user = session.user if session else None
    page_reader = reader(request)
    sheet = assets.url(ICONS)

    def icon(name: str, size: int = 20) -> Markup:
        return Markup(
            '<svg class="icon" width="{0}" height="{0}" aria-hidden="true"><use href="{1}#{2}"/></svg>'
        ).format(size, sheet, name)

    text = (
        _environment(page_reader.language)
        .get_template(template)
        .render(
            asset=assets.url,
            icon=icon,
            icons=ICONS,
            label=lambda table, code: label(page_reader, table, code),
            line_name=lambda number: deps.lines.get(number) or number,
            may=lambda right: user is not None and may(Role(user.role), right),
            nav=NAV,
            manage=[page for page in MANAGE if user is not None and may(Role(user.role), page[3])],
            menu=MENU,
            here="/" + request.path.split("/")[1],
            path=request.path_qs,
            person=request.app[LOGINS].people.name,
            phone=lambda e164, raw: phone(e164, raw, full=False),
            whole=lambda e164, raw: phone(e164, raw, full=bool(values.get("full"))),
            reader=page_reader,
            shadow=deps.shadow,
            site=deps.site,
            user=user,
            seat=session.extension if session else None,
            **{**values, "words": {**(spoken(request, SHELL) if user else {}), **values.get("words", {})}},
        )
    )
    headers = {"Vary": "Accept-Encoding, Accept-Language, Cookie"}
    response = web.Response(text=text, status=code, content_type="text/html", headers=headers)
    if len(text) > WORTH_PACKING:  # a page has no secret of its own beside what others may put into it
        response.enable_compression()
    return response


def phone(e164: str | None, raw: str | None, *, full: bool) -> str:
    """A caller's number grouped for people, or with its middle hidden (:mod:`screenpop.numbers`); '' when withheld."""
    number = identify(e164 or raw)
    return display(number) if full else mask(number)


def spoken(request: web.Request, table: words.Words) -> dict[str, str]:
    """A table of words in the reader's language, for the page's own modules."""
    page_reader = reader(request)
    return {code: page_reader.say(text) for code, text in table.items()}
