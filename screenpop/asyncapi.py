"""The socket's document: AsyncAPI 3.0, made of the messages' Shapes."""

from inspect import cleandoc
from typing import Any

from pydantic.json_schema import models_json_schema

from screenpop.answers.socket import MESSAGES
from screenpop.openapi import REF, VERSION, tidy
from screenpop.route import Shape

Json = dict[str, Any]

CLOSED = {
    1001: "the service stops: come back",
    4401: "the login or token has ended: do not come back by yourself",
    4402: "the login sits at another phone, or goes on with another cookie: come back",
}


def kind(shape: type[Shape]) -> str:
    """The ``type`` of a message."""
    return str(shape.model_fields["type"].annotation.__args__[0])  # type: ignore[union-attr] # a Literal


def document(title: str = "hotline") -> Json:
    """The document."""
    refs, made = models_json_schema([(shape, "serialization") for shape in MESSAGES], ref_template=REF)
    said = "; ".join(f"{code}: {why}" for code, why in CLOSED.items())
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": f"{title} socket",
            "version": VERSION,
            "description": "Texts of JSON from the server; what a client says is not listened to. Opened with a "
            "session's cookie, or with a token that has the scope `desk`. Close codes: " + said + ".",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {
            "desk": {
                "address": "/ws",
                "title": "An agent's desk",
                "messages": {kind(shape): {"$ref": f"#/components/messages/{kind(shape)}"} for shape in MESSAGES},
            }
        },
        "operations": {
            "tell": {
                "action": "send",
                "channel": {"$ref": "#/channels/desk"},
                "summary": "What happens at one's phone, and word of what lists should renew",
                "messages": [{"$ref": f"#/channels/desk/messages/{kind(shape)}"} for shape in MESSAGES],
            }
        },
        "components": {
            "messages": {
                kind(shape): {
                    "name": kind(shape),
                    "summary": cleandoc(shape.__doc__ or "").partition("\n\n")[0].replace("\n", " "),
                    "payload": refs[shape, "serialization"],
                }
                for shape in MESSAGES
            },
            "schemas": {name: tidy(schema) for name, schema in made["$defs"].items()},
        },
    }
