"""How much one caller may ask for at once (S5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from graphql import OperationType

from api.transport.errors import Refusal


@dataclass(frozen=True)
class Limits:
    """How much one caller may ask for at once."""

    body_bytes: int = 2_000_000
    document_characters: int = 100_000
    tokens: int = 5_000
    depth: int = 20
    aliases: int = 100
    cost: int = 50_000
    fields_at_root: int = 30
    mutations_at_once: int = 10
    fragments: int = 80
    operations: int = 50
    """How many operations a document may hold: all are measured and validated, one is run."""
    fields: int = 5_000
    """How many fields a document may name, a fragment's wherever it is spread."""
    comparisons: int = 20_000
    """How many pairs of fields of one response key validation may have to compare."""
    input_nodes: int = 2_000
    """How many values the variables, or the arguments of an operation, may hold; an input type
    may state a number of its own (`holding`)."""
    input_depth: int = 24
    list_items: int = 1_000
    digits: int = 40
    repeats_of_a_field: int = 20
    """How often one selection set may name the same response key."""
    default_page: int = 50
    """What an unpaged connection counts as."""
    list_size: int = 5
    """What a plain list counts as."""
    introspection_list_size: int = 3
    operation_seconds: float = 12.0
    sockets_per_actor: int = 600
    operations_per_socket: int = 100
    send_seconds: float = 10.0
    """How long a reader may stall before it is dropped (S10)."""
    init_seconds: float = 10.0
    ping_seconds: float = 15.0
    queued_messages: int = 200


class Measure(NamedTuple):
    """The size of a selection: `cost` counts fields with every page multiplied in.

    `fields` counts them once each, fragments wherever they are spread; `alone` counts those that
    may be asked for once in an operation.
    """

    cost: int = 0
    depth: int = 0
    aliases: int = 0
    width: int = 0
    fields: int = 0
    alone: int = 0


def refuse_over(limits: Limits, measure: Measure, kind: OperationType | None) -> None:
    """Refuse an operation, or a fragment (no kind), that is over a limit, saying which."""
    mutating = kind is OperationType.MUTATION
    most = limits.mutations_at_once if mutating else limits.fields_at_root
    for what, amount, limit in (
        ("fields at the root", 0 if kind is None else measure.width, most),
        ("depth", measure.depth, limits.depth),
        ("aliases", measure.aliases, limits.aliases),
        ("cost", measure.cost, limits.cost),
        ("fields", measure.fields, limits.fields),
        ("explanations of cost", measure.alone, 1),
    ):
        if amount > limit:
            shown = str(amount) if amount < 10**12 else "more"
            reason = f"{what}: {shown} of at most {limit}"
            raise Refusal("TOO_COMPLEX", reason=reason)
