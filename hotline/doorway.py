"""What the configuration says of logins, made into what the pages go by."""

from collections.abc import Callable

from hotline.oidc_settings import Oidc
from hotline.settings import Settings
from screenpop.door import Door
from screenpop.oidc_provider import Provider, Terms
from screenpop.seal import Seal


def door_of(settings: Settings, clock: Callable[[], float]) -> Door:
    """The door. Raises LookupError: a secret that the settings name is not there."""
    oidc = settings.oidc
    return Door(
        second_factor_of=settings.accounts.required_of,
        seal=Seal(settings.accounts.key()),
        provider=None if oidc is None else Provider(terms_of(oidc, settings.server.url), clock),
        passwords=oidc is None or not oidc.only,
    )


def terms_of(oidc: Oidc, url: str | None) -> Terms:
    """What was agreed with the provider. ``url``: where people reach us. Raises LookupError."""
    return Terms(
        issuer=oidc.issuer,
        client=oidc.client_id,
        secret=oidc.secret(),
        name=oidc.name,
        scopes=oidc.scopes,
        login_claim=oidc.login_claim,
        role_claim=oidc.role_claim,
        roles=oidc.roles,
        role=oidc.role,
        create=oidc.create,
        url=url,
    )
