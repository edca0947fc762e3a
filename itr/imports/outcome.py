"""What came of an import: how much went in, what did not, and why."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Protocol

from itr.errors import DomainError
from itr.imports.lines import Told
from itr.imports.rows import Line

MOST_LISTED = 1000
WAITS = ("随同一请求的其他行等待", "waits with another line of its request")


@dataclass(frozen=True, slots=True, order=True)
class Remark:
    """Something to know about a line of the file, or about several one after the other."""

    line: int
    zh: str
    en: str
    through: int = 0
    kind: str = ""
    """What remarks of one kind have in common; the values they name may differ."""

    @classmethod
    def of(cls, line: Line, error: DomainError) -> "Remark":
        """Why a line did not go in."""
        kind = str(error.facts.get("kind", error.message("en")))
        return cls(line.number, error.message("zh"), error.message("en"), line.through, kind)

    @classmethod
    def waiting(cls, line: Line) -> "Remark":
        """A line that would go in but for another one of its request."""
        return cls(line.number, *WAITS, line.through, WAITS[1])

    def __str__(self) -> str:
        if self.through > self.line:
            return (
                f"第 {self.line}–{self.through} 行：{self.zh} / "
                f"lines {self.line}–{self.through}: {self.en}"
            )
        return f"第 {self.line} 行：{self.zh} / line {self.line}: {self.en}"


class Replayed(Protocol):
    """What was replayed, as far as it is counted."""

    late_reopenings: int
    reopened_after_cancelling: int
    kept_as_notes: list[Told]


@dataclass
class Outcome:
    """Counts, the lines that did not go in, and those kept as notes only.

    `bad_lines` are those with a fault of their own, `waiting` the others of their requests.
    """

    dry_run: bool = False
    requests: int = 0
    continued: int = 0
    present: int = 0
    lines: int = 0
    facts: int = 0
    late_reopenings: int = 0
    reopened_after_cancelling: int = 0
    stopped: bool = False
    refused_requests: set[str] = field(default_factory=set)
    bad_lines: list[Remark] = field(default_factory=list)
    waiting: list[Remark] = field(default_factory=list)
    notes: list[Remark] = field(default_factory=list)

    @property
    def refused(self) -> list[Remark]:
        """Every line that did not go in, in the file's order."""
        return sorted([*self.bad_lines, *self.waiting])

    def add(self, replay: Replayed, *, lines: int, facts: int) -> None:
        """Count a request, or a part of one, that went in."""
        self.lines += lines
        self.facts += facts
        self.late_reopenings += replay.late_reopenings
        self.reopened_after_cancelling += replay.reopened_after_cancelling
        self.notes.extend(
            Remark(
                each.line,
                f"{each.words}（按备注保留）",
                f"{each.words}, kept as a note",
                kind=each.words,
            )
            for each in replay.kept_as_notes
        )

    def __str__(self) -> str:
        words = [*self._counts(), *self._reopenings()]
        words.extend(_listed("未导入的行 / Lines that did not go in", self.refused))
        words.extend(_listed("只作备注保留的行 / Lines kept as notes only", self.notes))
        if self.stopped:
            words.append(
                "起初的内容全部未能导入，已停止：映射文件是否适合此文件？ / "
                "Nothing of the beginning goes in, so it stopped: is this the right mapping?"
            )
        return "\n".join(words)

    def _counts(self) -> Iterator[str]:
        if self.dry_run:
            yield "试运行，没有写入任何内容，将会： / A dry run, nothing is written; it would be:"
        yield (
            f"导入请求 {self.requests} 个（{self.lines} 行，{self.facts} 条记录），"
            f"续接 {self.continued} 个，已有 {self.present} 个未改动；"
            f"{len(self.refused_requests)} 个请求等待，{len(self.bad_lines)} 行有误。"
        )
        yield (
            f"Imported {self.requests} requests ({self.lines} lines, {self.facts} events), "
            f"continued {self.continued}; {self.present} were there already; "
            f"{len(self.refused_requests)} requests wait, {len(self.bad_lines)} lines are wrong."
        )

    def _reopenings(self) -> Iterator[str]:
        if self.late_reopenings:
            yield (
                f"{self.late_reopenings} 次重新打开超出期限，仍为同一请求并已注明 / "
                f"{self.late_reopenings} reopenings beyond the window stay one request, marked."
            )
        if self.reopened_after_cancelling:
            yield (
                f"{self.reopened_after_cancelling} 次取消后继续，视为重新打开并已注明 / "
                f"{self.reopened_after_cancelling} went on after being cancelled: reopenings, "
                "marked."
            )


def in_ranges(remarks: Iterable[Remark]) -> Iterator[Remark]:
    """Remarks of one kind on lines one after the other, as one; it speaks as the first."""
    under_way: Remark | None = None
    for each in sorted(remarks):
        each = replace(each, through=max(each.line, each.through))  # noqa: PLW2901
        if under_way and (under_way.through + 1, under_way.kind) == (each.line, each.kind):
            under_way = replace(under_way, through=each.through)
            continue
        if under_way:
            yield under_way
        under_way = each
    if under_way:
        yield under_way


def _listed(title: str, remarks: list[Remark]) -> list[str]:
    if not remarks:
        return []
    ranges = list(in_ranges(remarks))
    shown = [f"  {remark}" for remark in ranges[:MOST_LISTED]]
    more = len(ranges) - len(shown)
    rest = [f"  …另有 {more} 处 / and {more} more"] if more else []
    return [f"{title}:", *shown, *rest]
