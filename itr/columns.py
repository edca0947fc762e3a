"""Columns whose Python type Tortoise's own field functions do not say exactly."""

from enum import StrEnum
from typing import Any

from tortoise import fields


def enum_or_null(enum: type[StrEnum], max_length: int) -> Any:
    """A column that holds a value of `enum` or nothing; annotate it as `Enum | None`."""
    return fields.CharEnumField(enum, max_length=max_length, null=True)


def text_or_null(max_length: int | None = None) -> Any:
    """A column that holds a text or nothing; annotate it as `str | None`."""
    if max_length is None:
        return fields.TextField(null=True)
    return fields.CharField(max_length=max_length, null=True)


def bytes_or_null() -> Any:
    """A column that holds bytes or nothing; annotate it as `bytes | None`."""
    return fields.BinaryField(null=True)


def yes_no_or_null() -> Any:
    """A column that holds yes, no or nothing; annotate it as `bool | None`."""
    return fields.BooleanField(null=True)
