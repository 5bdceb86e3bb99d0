"""What the configuration says of logins, made into what the pages go by."""

from hotline.settings import Settings
from screenpop.door import Door
from screenpop.seal import Seal


def door_of(settings: Settings) -> Door:
    """The door. Raises LookupError: a secret that the settings name is not there."""
    return Door(second_factor_of=settings.accounts.required_of, seal=Seal(settings.accounts.key()))
