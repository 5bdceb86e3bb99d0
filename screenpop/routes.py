"""Every route with the right it asks for: the tables of all rooms of pages, in one."""

from screenpop import (
    account_api,
    account_pages,
    api,
    api_docs,
    audit_pages,
    call_list_pages,
    call_pages,
    callbacks,
    choosing,
    code_pages,
    correcting,
    customer_pages,
    delivery_pages,
    desk_api,
    desk_pages,
    dialling,
    drafts,
    pages,
    peaks,
    search_pages,
    ticket_pages,
    token_pages,
)
from screenpop.audio import AUDIO, audio
from screenpop.call_pages import call, waiting
from screenpop.export import EXPORT, export
from screenpop.rights import Right
from screenpop.route import Route
from screenpop.sockets import socket

ROUTES = (
    Route("GET", "/", pages.home, Right.ACCOUNT),
    Route("GET", "/login", pages.login_page, None),
    Route("POST", "/login", pages.log_in, None),
    Route("POST", "/logout", pages.log_out, Right.ACCOUNT),
    Route("POST", "/language", pages.language, None),
    Route("GET", "/ws", socket, None),  # tells nothing to nobody, but with a close code a page understands
    Route("GET", "/desk/recent", pages.recent, Right.DESK),
    Route("GET", "/tickets", ticket_pages.tickets, Right.READ),
    Route("GET", "/tickets/rows", ticket_pages.rows, Right.READ),
    Route("GET", r"/tickets/{id:\d+}", ticket_pages.ticket, Right.READ),
    Route("POST", r"/tickets/{id:\d+}", ticket_pages.edit, Right.TICKETS),
    Route("POST", r"/tickets/{id:\d+}/notes", ticket_pages.note, Right.TICKETS),
    Route("GET", "/calls/{key}", call, Right.READ),
    Route("GET", "/calls/{key}/state", waiting, Right.READ),
    Route("GET", r"/calls/{key}/audio/{recording:\d+}/{leg}", audio, Right.READ, AUDIO),
    Route("GET", "/calls/{key}/export/{format}", export, Right.READ, EXPORT),
    Route("POST", "/calls/{key}/split", ticket_pages.split, Right.TICKETS),
    Route("POST", "/api/calls/{key}/split", ticket_pages.split_json, Right.TICKETS, ticket_pages.SPLIT),
    Route("GET", "/status", pages.status, Right.STATUS),
    *desk_pages.ROUTES,
    *code_pages.ROUTES,
    *account_pages.ROUTES,
    *account_api.ROUTES,
    *api_docs.ROUTES,
    *api.ROUTES,
    *choosing.ROUTES,
    *drafts.ROUTES,
    *search_pages.ROUTES,
    *customer_pages.ROUTES,
    *correcting.ROUTES,
    *call_list_pages.ROUTES,
    *call_pages.ROUTES,
    *callbacks.ROUTES,
    *dialling.ROUTES,
    *desk_api.ROUTES,
    *peaks.ROUTES,
    *token_pages.ROUTES,
    *delivery_pages.ROUTES,
    *audit_pages.ROUTES,
)
