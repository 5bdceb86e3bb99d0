"""The part of the configuration that names an identity provider (OpenID Connect). Read by :mod:`hotline.settings`."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, field_validator, model_validator

from hotline.account_settings import RoleName
from hotline.telephony_settings import Part, read_secret
from screenpop.ways_back import trusted

Claim = Annotated[str, Field(min_length=1, max_length=100)]


class Oidc(Part):
    """``issuer``: as the provider writes it, https (http on this machine only). ``name``: what the button says.

    The client's secret is in the variable ``secret_env`` or the file ``secret_file``; a public client has none. What
    claims are worth, :class:`screenpop.oidc_provider.Terms`. ``only``: passwords open nothing any more.
    """

    issuer: Annotated[str, Field(max_length=255)]
    client_id: Annotated[str, Field(min_length=1, max_length=255)]
    secret_env: str | None = None
    secret_file: Path | None = None
    name: Annotated[str, Field(max_length=40)] = ""
    scopes: tuple[Annotated[str, Field(pattern=r"^[!#-\[\]-~]+$")], ...] = ("openid", "profile", "email")
    login_claim: Claim = "preferred_username"
    role_claim: Claim | None = None
    roles: dict[str, RoleName] = Field(default_factory=dict)
    role: RoleName = "agent"
    create: bool = False
    only: bool = False

    @field_validator("issuer")
    @classmethod
    def _safe(cls, issuer: str) -> str:
        if not trusted(issuer) or "?" in issuer or "#" in issuer:
            raise ValueError("an issuer is an https:// address without query (http:// on this machine only)")
        return issuer

    @model_validator(mode="after")
    def _fits(self) -> "Oidc":
        if "openid" not in self.scopes:
            raise ValueError('scopes must hold "openid"')
        if (self.role_claim is None) != (not self.roles):
            raise ValueError("role_claim and roles go together: what the claim holds, and which role that is here")
        return self

    def secret(self) -> str | None:
        """The client's secret, None for a public client. LookupError says where it was sought."""
        if self.secret_env is None and self.secret_file is None:
            return None
        return read_secret("[oidc]", self.secret_env or "", self.secret_file)
