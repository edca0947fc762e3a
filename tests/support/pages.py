"""README and the pages of docs/: the examples they show, and the names they speak of."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HOUSE = Path(__file__).parents[2]
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Example:
    """A block of a page, and the line it begins in."""

    page: str
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def pages() -> list[str]:
    """README and every page of docs/, decisions apart."""
    return ["README.md", *sorted(f"docs/{path.name}" for path in (HOUSE / "docs").glob("*.md"))]


def text_of(page: str) -> str:
    """A page as it stands."""
    return (HOUSE / page).read_text("utf-8")


def examples(*languages: str) -> list[Example]:
    """What all pages show in these languages, in order; in any when none is named."""
    found = (example for page in pages() for example in _of(page))
    return [each for each in found if not languages or each.language in languages]


def example(page: str, language: str, number: int = 1) -> str:
    """One example of a page, counted from 1."""
    found = [each.text for each in _of(page) if each.language == language]
    return found[number - 1]


def metrics_on_the_page() -> set[str]:
    """The metrics that the operators' page explains."""
    section = text_of("docs/operations.md").split("## 观察")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (`itr_.+?`) \|", section, re.MULTILINE)
    return {name for row in rows for name in re.findall(r"`(\w+)`", row)}


def _of(page: str) -> Iterator[Example]:
    text = text_of(page)
    for block in _BLOCK.finditer(text):
        line = text.count("\n", 0, block.start()) + 2
        yield Example(page, line, block[1], block[2])
