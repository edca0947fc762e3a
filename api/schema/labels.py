"""What values of enums are called by people, in their language: shapes of `enumLabels`."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import strawberry
from graphql import GraphQLEnumType, GraphQLSchema

from api.schema.people.types import Language

_BOTH = re.compile(r"(?P<en>.*?)[.。]?\s+(?P<zh>\S*[一-鿿].*)", re.DOTALL)
"""How this schema describes its enums: English, then Chinese."""


@strawberry.type(description="A value of an enum and what people call it. 枚举值标签")
class EnumValueLabel:
    """A value of an enum and what people call it."""

    value: str = strawberry.field(description="The value, as the schema has it.")
    label: str = strawberry.field(description="What people call it, in the language asked for.")


@strawberry.type(description="An enum and what people call it and its values. 枚举标签")
class EnumLabels:
    """An enum and what people call it and its values."""

    name: str = strawberry.field(description="The enum, as the schema has it.")
    label: str = strawberry.field(description="What it is about, in the language asked for.")
    values: list[EnumValueLabel] = strawberry.field(description="Its values, in their order.")


@dataclass(frozen=True)
class Told:
    """A description in both languages."""

    en: str
    zh: str

    def in_(self, language: Language) -> str:
        """The words of one of them."""
        return self.zh if language is Language.ZH else self.en


def labels_of(schema: GraphQLSchema, language: Language) -> Iterator[EnumLabels]:
    """The enums that are told in both languages: what programs alone read has no labels."""
    for name, kind in sorted(schema.type_map.items()):
        if not isinstance(kind, GraphQLEnumType):
            continue
        about = told(kind.description)
        values = {value: told(each.description) for value, each in kind.values.items()}
        if about is not None and all(values.values()):
            yield EnumLabels(
                name=name,
                label=about.in_(language),
                values=[
                    EnumValueLabel(value=value, label=each.in_(language))
                    for value, each in values.items()
                    if each is not None
                ],
            )


def told(description: str | None) -> Told | None:
    """A description's words in both languages; None when it speaks one only."""
    found = _BOTH.fullmatch(description or "")
    return Told(found["en"].strip(), found["zh"].strip().rstrip("。")) if found else None
