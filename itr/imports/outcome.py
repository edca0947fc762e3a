"""What came of an import: how much went in, what did not, and why."""

from dataclasses import dataclass, field

from itr.errors import DomainError

MOST_LISTED = 1000


@dataclass(frozen=True, slots=True, order=True)
class Remark:
    """Something to know about one line of the file."""

    line: int
    zh: str
    en: str

    @classmethod
    def of(cls, line: int, error: DomainError) -> "Remark":
        """Why a line did not go in."""
        return cls(line, error.message("zh"), error.message("en"))

    def __str__(self) -> str:
        return f"第 {self.line} 行：{self.zh} / line {self.line}: {self.en}"


@dataclass
class Outcome:
    """Counts, the lines that did not go in, and those kept as notes only."""

    requests: int = 0
    present: int = 0
    lines: int = 0
    facts: int = 0
    late_reopenings: int = 0
    bad_lines: list[Remark] = field(default_factory=list)
    notes: list[Remark] = field(default_factory=list)

    def __str__(self) -> str:
        words = [
            f"导入请求 {self.requests} 个（{self.lines} 行，{self.facts} 条记录），"
            f"已有 {self.present} 个未改动，{len(self.bad_lines)} 行未导入。",
            f"Imported {self.requests} requests ({self.lines} lines, {self.facts} events); "
            f"{self.present} were there already; {len(self.bad_lines)} lines did not go in.",
        ]
        if self.late_reopenings:
            words.append(
                f"{self.late_reopenings} 次重新打开超出期限，仍为同一请求并已注明 / "
                f"{self.late_reopenings} reopenings beyond the window stay one request, marked."
            )
        words.extend(_listed("未导入的行 / Lines that did not go in", self.bad_lines))
        words.extend(_listed("只作备注保留的行 / Lines kept as notes only", self.notes))
        return "\n".join(words)


def _listed(title: str, remarks: list[Remark]) -> list[str]:
    if not remarks:
        return []
    shown = [f"  {remark}" for remark in sorted(remarks)[:MOST_LISTED]]
    more = len(remarks) - len(shown)
    rest = [f"  …另有 {more} 行 / and {more} more"] if more else []
    return [f"{title}:", *shown, *rest]
