"""A small mapping, and what reading an export by it gives."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from itr.errors import DomainError
from itr.imports.histories import History, histories_of, surveyed
from itr.imports.lines import Reader
from itr.imports.mapping import MappingFile
from itr.imports.rows import Line, table_of
from itr.imports.stories import Story, story_of

MAPPING = """
[source]
name = "probe"
[time]
column = "at"
zone = "Asia/Shanghai"
[request]
id = "id"
title = "{title}"
description = "{title}"
[branch]
name = "Probe branch"
[customer]
name = "{customer}"
[person]
name = "{who}"
[team]
name = "{team}"
line = 1
[classification.values]
"*" = { problem_type = "FAULT", fault_level = "MINOR", impact = "GROUP" }
[events]
columns = ["status"]
meanings = [
  { values = ["Queued"], kind = "QUEUED" },
  { values = ["Open"], kind = "WORKING" },
  { values = ["Pending"], kind = "WAITING", reason = "CUSTOMER" },
  { values = ["Resolved"], kind = "DELIVERED" },
  { values = ["Closed"], kind = "CLOSED" },
  { values = ["Cancelled"], kind = "CANCELLED" },
]
"""
HEADER = "id,at,title,customer,who,team,status\n"
NOW = datetime(2026, 6, 1, tzinfo=UTC)


def row(number: str, at: str = "2026-03-02 10:00:00", status: str = "Open", **cells: str) -> str:
    """A line of the small export."""
    plain = {"title": "printer", "customer": "Acme", "who": "agent", "team": "Desk"}
    values = plain | cells
    return ",".join([number, at, *(values[name] for name in plain), status]) + "\n"


def mapping_of(folder: Path, *changes: tuple[str, str], text: str = MAPPING) -> MappingFile:
    """The small mapping with some of its lines changed. Raises CannotImport."""
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    path = folder / "mapping.toml"
    path.write_text(text)
    return MappingFile.read(path)


def lines_of(path: Path, mapping: MappingFile) -> list[Line]:
    """The rows of a file. Raises CannotImport."""
    with table_of(path, mapping.document.source) as table:
        mapping.columns_in(table.header)
        return list(table.lines)


class Read:
    """A file as it is read: its requests, and the lines nobody can tell the request of."""

    def __init__(self, path: Path, mapping: MappingFile, now: datetime = NOW) -> None:
        self.strangers: list[tuple[Line, DomainError]] = []
        with table_of(path, mapping.document.source) as table:
            self.reader = Reader(mapping, mapping.columns_in(table.header), now)
        self.survey = surveyed(path, mapping, self.reader)
        with table_of(path, mapping.document.source) as table:
            found = histories_of(
                table.lines, self.reader, lambda *each: self.strangers.append(each)
            )
            self.histories: Sequence[History] = list(found)

    def story(self, external_id: str) -> Story:
        """What the lines of a request tell."""
        history = next(each for each in self.histories if each.external_id == external_id)
        return story_of(history, self.reader)


def read(folder: Path, text: str | bytes, mapping: MappingFile, now: datetime = NOW) -> Read:
    """A file with this content, read."""
    path = folder / "export.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return Read(path, mapping, now)
