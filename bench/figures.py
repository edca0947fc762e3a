"""What a measurement hands over: tables, for the screen and for docs/performance.md."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Table:
    """One table with its title and what has to be said of it."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = ()

    def markdown(self) -> Iterator[str]:
        """Yield the lines of the table as the document has them."""
        yield f"### {self.title}"
        yield ""
        yield f"| {' | '.join(self.columns)} |"
        yield f"|{'---|' * len(self.columns)}"
        for row in self.rows:
            yield f"| {' | '.join(row)} |"
        yield ""
        for note in self.notes:
            yield f"{note}"
            yield ""


def print_table(table: Table) -> None:
    """Print a table on a terminal."""
    widths = [
        max(_width(row[index]) for row in (table.columns, *table.rows))
        for index in range(len(table.columns))
    ]
    print(f"\n{table.title}")
    for row in (table.columns, *table.rows):
        cells = [
            word + " " * (width - _width(word)) for word, width in zip(row, widths, strict=True)
        ]
        print("  " + "  ".join(cells).rstrip())
    for note in table.notes:
        print(f"  {note}")
    print(flush=True)


def _width(text: str) -> int:
    """Return how many columns a text takes; Chinese letters take two."""
    return sum(2 if ord(letter) > 0x2E7F else 1 for letter in text)


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that this share of the values does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def spread(values: Sequence[float]) -> str:
    """Write a median with the least and the greatest value."""
    return f"{median(values):,.0f} ({min(values):,.0f} – {max(values):,.0f})"
