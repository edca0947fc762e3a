"""Reading mappings and lines, and what lines come to (R-IMP-01)."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
import zstandard

from itr.catalogue.terms import FaultLevel, Impact
from itr.errors import DomainError
from itr.imports.errors import CannotImport
from itr.imports.files import count_lines
from itr.imports.lines import Placed, Reader, Told, in_order
from itr.imports.mapping import MappingFile
from itr.imports.replay import steps_of
from itr.imports.rows import Line, table_of
from itr.imports.terms import Kind, Step
from itr.requests.priority import Classification
from itr.requests.terms import ProblemType

BPI = Path(__file__).parents[3] / "mappings" / "bpi2013.toml"
MAPPING = """
[source]
name = "shop"
delimiter = ";"
[time]
column = "when"
zone = "Europe/Stockholm"
format = "%d.%m.%Y %H:%M"
[request]
id = "ticket"
order = "step"
title = "{ticket}"
description = "{ticket}"
[branch]
name = "Shop"
[customer]
name = "Somebody"
[person]
name = "{who}"
[team]
name = "Helpdesk"
line = "level"
lines = { "first" = 1, "expert" = 3 }
[classification]
values = { "*" = { problem_type = "FAULT", fault_level = "MINOR", impact = "GROUP" } }
[events]
columns = ["state"]
meanings = [
  { values = ["waits"], kind = "WAITING", reason = "SPARE_PART" },
  { values = ["odd"], kind = "NOTE" },
  { values = ["*"], kind = "WORKING" },
]
"""
HEADER = "ticket;step;when;state;who;level\n"


@pytest.fixture
def mapping(tmp_path: Path) -> MappingFile:
    return read(tmp_path, MAPPING)


def read(folder: Path, text: str) -> MappingFile:
    path = folder / "mapping.toml"
    path.write_text(text)
    return MappingFile.read(path)


def read_lines(path: Path, mapping: MappingFile) -> list[Line]:
    with table_of(path, mapping.document.source) as table:
        mapping.columns_in(table.header)
        return list(table.lines)


def placed(folder: Path, mapping: MappingFile, *lines: str) -> tuple[Reader, list[Placed]]:
    path = folder / "export.csv"
    path.write_text(HEADER + "".join(f"{line}\n" for line in lines))
    with table_of(path, mapping.document.source) as table:
        reader = Reader(mapping, mapping.columns_in(table.header), datetime(2026, 1, 1, tzinfo=UTC))
        return reader, [reader.placed(line) for line in table.lines]


def told(folder: Path, mapping: MappingFile, *lines: str) -> list[Told]:
    reader, found = placed(folder, mapping, *lines)
    return [each for line in found if (each := reader.told(line, line.row)) is not None]


def test_the_mapping_of_bpi_2013_can_be_read():
    """R-IMP-01."""
    mapping = MappingFile.read(BPI)

    assert mapping.document.source.name == "bpi2013"
    assert mapping.meaning_of(("Unmatched", "whatever")).kind is Kind.NOTE


@pytest.mark.parametrize(
    ("wrong", "right", "said"),
    [
        ("[source", "[source]", "mapping.toml"),
        ('zone = "Mars/Base"', 'zone = "Europe/Stockholm"', "time.zone"),
        ('kind = "SLEEPING"', 'kind = "NOTE"', "kind"),
        ('kind = "WAITING"', 'kind = "WAITING", reason = "SPARE_PART"', "WAITING has a reason"),
        ('"first" = 4', '"first" = 1', "1, 2 or 3"),
        ('name = "shop"\nnames = "x"', 'name = "shop"', "names"),
        ('columns = ["state", "more"]', 'columns = ["state"]', "one value per column"),
    ],
)
def test_a_wrong_mapping_is_one_sentence(tmp_path, wrong, right, said):
    """R-IMP-01."""
    with pytest.raises(CannotImport, match=r"映射文件 .* is wrong") as refused:
        read(tmp_path, MAPPING.replace(right, wrong, 1))

    assert said in str(refused.value)


def test_a_file_without_a_column_the_mapping_reads_is_refused(tmp_path, mapping):
    """R-IMP-01."""
    path = tmp_path / "export.csv"
    path.write_text("ticket;when\n")

    with pytest.raises(CannotImport, match="no columns state, step"):
        list(read_lines(path, mapping))


def test_naive_times_are_told_in_the_zone_of_the_mapping(tmp_path, mapping):
    """R-IMP-01."""
    winter, summer = told(
        tmp_path,
        mapping,
        "A;1;15.01.2012 12:00;open;Ann;first",
        "A;2;15.07.2012 12:00;open;Ann;expert",
    )

    assert winter.at == datetime(2012, 1, 15, 11, tzinfo=UTC)
    assert summer.at == datetime(2012, 7, 15, 10, tzinfo=UTC)
    assert (winter.line_of_work, summer.line_of_work) == (1, 3)


def test_an_hour_that_comes_twice_is_the_second_where_the_order_says_so(tmp_path, mapping):
    """R-IMP-01: clocks go back on 2012-10-28 at 03:00 to 02:00."""
    _, lines = placed(
        tmp_path,
        mapping,
        "A;1;28.10.2012 02:10;open;Ann;first",
        "A;2;28.10.2012 02:50;open;Ann;first",
        "A;3;28.10.2012 02:20;open;Ann;first",
        "A;4;28.10.2012 03:05;open;Ann;first",
    )

    assert [f"{each.at:%H:%M}" for each in in_order(lines)] == ["00:10", "00:50", "01:20", "02:05"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("A;1;25.03.2012 02:30;open;Ann;first", "no such time"),
        ("A;1;2012-03-25;open;Ann;first", "not a time"),
        ("A;x;25.03.2012 12:30;open;Ann;first", "not a number"),
        ("A;1;25.03.2012 12:30;open;Ann;second", "not 1, 2 or 3"),
        ("A;1;25.03.2012 12:30;open;;first", "person: This is required"),
        (";1;25.03.2012 12:30;open;Ann;first", "required"),
        ("A;1;25.03.2012 12:30;open;Ann", "5 columns instead of 6"),
        ('A;1;25.03.2012 12:30;"open"x;Ann;first', "not a line of CSV"),
        ("A;1;25.03.2012 12:30;open;Ann\x00;first", "control characters"),
    ],
)
def test_a_line_that_does_not_go_in_says_why(tmp_path, mapping, line, said):
    """R-IMP-01."""
    with pytest.raises(DomainError) as refused:
        told(tmp_path, mapping, line)

    assert said in refused.value.message("en")
    assert refused.value.message("zh") != refused.value.message("en")


def test_lines_keep_the_numbers_an_editor_shows(tmp_path, mapping):
    """R-IMP-01: blank lines and texts over several lines count."""
    path = tmp_path / "export.csv"
    path.write_text(HEADER + '\nA;1;1;"two\nlines";Ann;first\nB;1;1;open;Ann;first\n')

    assert [(line.number, line.spans) for line in read_lines(path, mapping)] == [(3, 2), (5, 1)]
    assert count_lines(path) == 4


def test_a_packed_file_is_read_whole_or_not_at_all(tmp_path, mapping):
    """R-IMP-01: what was cut off would leave its last request half there for good."""
    text = HEADER.encode() + b"A;1;15.01.2012 12:00;open;Ann;first\n" * 5_000
    packed = zstandard.compress(text) + zstandard.compress(b"B;1;15.01.2012 12:00;open;Ann;first")
    path = tmp_path / "export.csv.zst"

    path.write_bytes(packed)
    assert count_lines(path) == 5_001
    assert sum(line.spans for line in read_lines(path, mapping)) == 5_001

    for broken in (packed[:-9], packed[:40], b"no zstd"):
        path.write_bytes(broken)
        with pytest.raises(CannotImport, match="is not whole"):
            count_lines(path)


@pytest.mark.parametrize(
    ("kinds", "steps"),
    [
        ("WORKING DELIVERED CLOSED", "WORK DELIVER CLOSE"),
        ("WORKING DELIVERED DELIVERED CLOSED", "WORK REPLY DELIVER CLOSE"),
        ("DELIVERED CLOSED DELIVERED CLOSED", "REPLY NOTE DELIVER CLOSE"),
        ("DELIVERED CLOSED CLOSED WORKING", "DELIVER NOTE CLOSE WORK"),
        ("DELIVERED NOTE DELIVERED", "REPLY NOTE DELIVER"),
        ("DELIVERED WORKING DELIVERED", "DELIVER WORK DELIVER"),
        ("WORKING CLOSED", "WORK DELIVER_AND_CLOSE"),
        ("DELIVERED CLOSED QUEUED CLOSED", "DELIVER CLOSE QUEUE DELIVER_AND_CLOSE"),
        ("CANCELLED", "CANCEL"),
    ],
)
def test_of_completions_repeated_without_anything_between_the_last_counts(kinds, steps):
    """R-IMP-01, R-LIN-02."""
    history = [line_of(Kind(kind), number) for number, kind in enumerate(kinds.split())]

    assert steps_of(history) == [Step(step) for step in steps.split()]


def line_of(kind: Kind, number: int) -> Told:
    return Told(
        line=number,
        request="A",
        at=datetime(2012, 1, 1, number, tzinfo=UTC),
        kind=kind,
        reason=None,
        restores_service=True,
        team="Helpdesk",
        line_of_work=1,
        owner="Ann",
        actor="Ann",
        words=kind.value,
        classification=Classification(ProblemType.FAULT, FaultLevel.MINOR, Impact.GROUP),
        customer="Somebody",
    )
