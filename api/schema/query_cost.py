"""What a document would cost: shapes of the explanation."""

import strawberry


@strawberry.type(description="One path of a document and what it costs.")
class PathCost:
    """One line of an explanation."""

    path: str = strawberry.field(description="Response keys from the root, joined by dots.")
    times: int = strawberry.field(
        description="How often the field is counted: the pages and lists above it multiplied."
    )
    cost: int = strawberry.field(description="What it and everything below it costs in all.")


@strawberry.type(
    description="What an operation would cost, worked out without running it. 查询成本"
)
class DocumentCost:
    """An explanation."""

    requested: int = strawberry.field(
        description="What it would be charged, as in `extensions.cost`; 2147483647 also stands"
        " for more."
    )
    limit: int = strawberry.field(description="What one operation may cost at most.")
    depth: int = strawberry.field(description="Levels of nesting.")
    aliases: int = strawberry.field(
        description="Aliases, those of fragments each time they are used."
    )
    refusal: str | None = strawberry.field(
        description="Why it would be refused, in the reader's language; null when it would run."
    )
    paths: list[PathCost] = strawberry.field(
        description="Path by path in the document's order, at most 500."
    )
