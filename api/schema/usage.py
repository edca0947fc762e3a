"""How much of the schema is used, and by whom: shapes."""

from datetime import datetime

import strawberry


@strawberry.type(description="How often a client asked for a field or an argument. 字段用量")
class FieldUsage:
    """One field or argument, one client."""

    coordinate: str = strawberry.field(description="`Type.field`, or `Type.field(argument:)`.")
    client_id: str = strawberry.field(description="The client's id.")
    uses: int = strawberry.field(description="Operations that named it; subscriptions count once.")
    last_used_at: datetime = strawberry.field(description="When it was last counted.")
    deprecated: str | None = strawberry.field(
        description="What to use instead and when it goes; null when it stays."
    )


@strawberry.type(description="How often a client ran a document. 文档用量")
class DocumentUsage:
    """One document, one client."""

    sha256: str = strawberry.field(description="The SHA-256 of its text.")
    name: str = strawberry.field(description="The operation's name; empty when it has none.")
    client_id: str = strawberry.field(description="The client's id.")
    uses: int = strawberry.field(description="How often it ran; subscriptions count once.")
    last_used_at: datetime = strawberry.field(description="When it was last counted.")
    trusted: bool = strawberry.field(description="Whether it is registered for the client.")
