"""What of a request is in already: a short trace of each line, kept with the request."""

from collections import Counter
from collections.abc import Iterable, Sequence
from hashlib import blake2b

from itr.imports.lines import Told

SIZE = 8


def trace_of(told: Iterable[Told]) -> bytes:
    """The traces of these lines, one after the other."""
    return b"".join(map(_trace, told))


def not_in(told: Sequence[Told], traces: bytes) -> list[Told]:
    """The lines whose traces are not among these; of two that are alike, each needs its own."""
    there = Counter(traces[place : place + SIZE] for place in range(0, len(traces), SIZE))
    left = []
    for each in told:
        trace = _trace(each)
        if there[trace]:
            there[trace] -= 1
        else:
            left.append(each)
    return left


def _trace(told: Told) -> bytes:
    words = (
        told.at.isoformat(),
        told.kind.value,
        told.reason or "",
        told.team,
        str(told.line_of_work),
        told.owner,
        told.actor,
        told.words,
    )
    return blake2b("\0".join(words).encode("utf-8", "surrogatepass"), digest_size=SIZE).digest()
