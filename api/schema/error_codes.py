"""The codes of refusals; made with the schema, when every room that refuses has been loaded."""

from enum import Enum
from typing import Any

import strawberry

import itr.access.operations.devices
import itr.access.operations.federated_sign_in
import itr.catalogue.projects  # noqa: F401 - three that refuse, but to no resolver
from itr.errors import DomainError


def _tree(error: type[DomainError]) -> list[type[DomainError]]:
    return [error, *(each for child in error.__subclasses__() for each in _tree(child))]


def _told(error: type[DomainError]) -> str:
    said = (error.__doc__ or error.code).strip().splitlines()[0]
    return said if "{" in error.zh else f"{said} {error.zh}"


_OURS = [each for each in _tree(DomainError) if each.__module__.startswith("itr.")]
ERRORS = {each.code: each for each in sorted(_OURS, key=lambda each: each.code)}
"""Every refusal the product can tell, by its code."""

_make_enum: Any = Enum
_codes = _make_enum(
    "UserErrorCode",
    {code: strawberry.enum_value(code, description=_told(error)) for code, error in ERRORS.items()},
    module=__name__,
)
UserErrorCode: Any = strawberry.enum(
    _codes, description="Why a mutation was refused; stable, for programs. 业务错误码"
)
