"""Any system with a JSON API, described by a mapping file: which requests there are, and which field is what.

docs/connectors.md shows a whole file. What the file does not describe the connector cannot do, and says so in ``can``.
"""

from collections.abc import Mapping
from typing import Annotated, Any

from aiohttp import encode_basic_auth
from pydantic import Field, model_validator

from crm.asking import Asking
from crm.connector import Connector, Context
from crm.described import Described
from crm.fieldmap import FieldMap
from crm.http import Http
from crm.http_settings import HttpSettings
from crm.rest_plan import RestPlan
from crm.rest_talk import RestTalk


class RestSettings(HttpSettings):
    """Where the API is, and its key.

    ``secret_env`` names the variable with the key. With ``user`` it is that user's password, else ``header`` carries it
    in the form of ``format``.
    """

    secret_env: str | None = None
    user: str | None = None
    header: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]+$")] = "Authorization"
    format: str = "Bearer {secret}"

    @model_validator(mode="after")
    def _key_goes_somewhere(self) -> "RestSettings":
        if self.user is not None and self.secret_env is None:
            raise ValueError("secret_env is missing: where the password of user is")
        if "{secret}" not in self.format:
            raise ValueError("format: put {secret} into it")
        return self


async def open_connector(settings: Mapping[str, Any], context: Context) -> Connector:
    """The connector for ``[crm.settings]`` and the mapping file. Talks to nobody yet."""
    mine = RestSettings.model_validate(dict(settings))
    plan = RestPlan.read(context.mapping.get("rest", {}))
    mapping = FieldMap.read(context.mapping, own=("rest",))
    secret = context.secret(mine.secret_env) if mine.secret_env else None
    plan.push_key(context.secret)  # one that is missing is told before anything is open
    headers = key_headers(mine, secret)
    ca = context.base / mine.ca_file if mine.ca_file else None
    http = Http("REST", mine.url, headers=headers, connections=mine.connections, ca=ca)
    asking = Asking(RestTalk(http, plan.error))
    return Described("rest", asking, plan, mapping, context=context, connections=mine.connections)


def key_headers(mine: RestSettings, secret: str | None) -> dict[str, str]:
    """The headers that carry the key."""
    if secret is None:
        return {}
    if mine.user is not None:
        return {"Authorization": encode_basic_auth(mine.user, secret, "utf-8")}
    return {mine.header: mine.format.replace("{secret}", secret)}
