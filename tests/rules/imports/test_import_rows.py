"""Rows of exports: encodings, separators, headers, quotes, and what comes back as rejects."""

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itr.imports.errors import CannotImport
from itr.imports.outcome import Remark, in_ranges
from itr.imports.rejects import write_rejects
from itr.imports.rows import LINE_COLUMN, REASON_COLUMN, guarded
from itr.imports.source import Source
from tests.support.exports import HEADER, lines_of, mapping_of, read, row


@pytest.mark.parametrize(
    ("named", "written"),
    [
        ("", "utf-8-sig"),
        ('encoding = "U8"', "utf-8-sig"),
        ('encoding = "cp65001"', "utf-8-sig"),
        ('encoding = "utf-16"', "utf-16"),
        ("", "utf-16"),
        ('encoding = "utf-16-le"', "utf-16"),
        ('encoding = "gb18030"', "utf-8-sig"),
    ],
)
def test_a_byte_order_mark_is_no_part_of_the_first_name(tmp_path, named, written):
    """01, R-IMP-01: whatever the mapping calls the encoding, or if it says nothing of it."""
    mapping = mapping_of(tmp_path, ('name = "probe"', f'name = "probe"\n{named}'))

    found = read(tmp_path, (HEADER + row("A1", title="断网")).encode(written), mapping)

    assert found.story("A1").about.title == "断网"


def test_a_byte_order_mark_in_gb18030_is_none_either(tmp_path):
    """01."""
    mapping = mapping_of(tmp_path, ('name = "probe"', 'name = "probe"\nencoding = "GB18030"'))

    found = read(tmp_path, ("\ufeff" + HEADER + row("A1")).encode("gb18030"), mapping)

    assert not found.story("A1").problems


@pytest.mark.parametrize(
    ("encoding", "wrong"),
    [
        ("utf-16", "\ud800".encode("utf-16-le", "surrogatepass")),
        ("utf-16", "\udc00".encode("utf-16-le", "surrogatepass")),
        ("utf-32", b"\x00\x00\x11\x00"),
        ("iso2022_jp", b"\x1b$B!\x20\x1b(B"),
        ("gb18030", b"\x81"),
        ("utf-8", b"\xff"),
    ],
)
def test_a_row_with_what_is_no_letter_is_listed_in_every_encoding(tmp_path, encoding, wrong):
    """01, R-IMP-01: never the end of an import; the row comes back among the rejects."""
    mapping = mapping_of(tmp_path, ('name = "probe"', f'name = "probe"\nencoding = "{encoding}"'))
    before, after = (HEADER + row("A1") + row("A2", title="T")).split("T")
    plain = encoding.replace("utf-16", "utf-16-le").replace("utf-32", "utf-32-le")
    content = before.encode(encoding) + wrong + (after + row("A3")).encode(plain)
    found = read(tmp_path, content, mapping)

    assert not (found.story("A1").problems or found.story("A3").problems)
    assert "not in the encoding" in found.story("A2").problems[0][1].message("en")

    rejects = tmp_path / "rejects.csv"
    write_rejects(
        rejects, tmp_path / "export.csv", mapping.document.source, [Remark(3, "错", "wrong")]
    )
    [line] = lines_of(rejects, mapping)
    assert list(line.cells[2:4]) == row("A2").split(",")[:2]


def test_a_file_that_was_cut_off_inside_a_letter_is_not_the_end_of_an_import(tmp_path):
    """01."""
    text = (HEADER + row("A1") + row("A2")).encode("utf-16")[:-1]

    found = read(tmp_path, text, mapping_of(tmp_path))

    assert not found.story("A1").problems
    assert "not in the encoding" in found.story("A2").problems[0][1].message("en")


@pytest.mark.parametrize("blank", ["\n", "   \n", ",,,,,,\n", " ,,\t,, \u3000,,\n"])
def test_a_row_of_blanks_is_none(tmp_path, blank):
    """R-IMP-01: spreadsheets leave them below a table."""
    found = read(tmp_path, HEADER + row("A1") + blank + row("A2") + blank, mapping_of(tmp_path))

    assert [history.external_id for history in found.histories] == ["A1", "A2"]
    assert not found.strangers


@pytest.mark.parametrize("name", ["unicode_escape", "utf-7", "rot13", "base64", "punycode"])
def test_what_makes_line_ends_of_letters_is_no_encoding(tmp_path, name):
    """08, R-IMP-01: a cell could become a row by it."""
    with pytest.raises(CannotImport, match="encoding"):
        mapping_of(tmp_path, ('name = "probe"', f'name = "probe"\nencoding = "{name}"'))


@pytest.mark.parametrize(("said", "letter"), [(r"\t", "\t"), ("|", "|"), (" ", " ")])
def test_a_tab_may_separate(tmp_path, said, letter):
    """02."""
    mapping = mapping_of(tmp_path, ('name = "probe"', f'name = "probe"\ndelimiter = "{said}"'))
    text = HEADER + row("A1", at="2026-03-02T10:00:00", team="Desk")

    assert not read(tmp_path, text.replace(",", letter), mapping).story("A1").problems


def test_a_column_that_is_there_twice_is_not_guessed(tmp_path):
    """04."""
    header = HEADER.replace("status", "status,customer,status")
    text = header + row("A1", status="Open,Other Ltd,Closed")

    with pytest.raises(CannotImport, match=r"column status is there 2 times: say which"):
        read(tmp_path, text, mapping_of(tmp_path))

    chosen = mapping_of(tmp_path, ("{customer}", "{customer[2]}"), ('["status"]', '["status[1]"]'))
    told = read(tmp_path, text, chosen).story("A1").told[0]
    assert (told.customer, told.kind) == ("Other Ltd", "WORKING")


def test_blanks_around_names_of_columns_do_not_matter_on_either_side(tmp_path):
    """16."""
    mapping = mapping_of(tmp_path, ('column = "at"', 'column = " at "'), ("{title}", "{ title }"))

    found = read(
        tmp_path, HEADER.replace("at,", " at,").replace("us\n", "us \n") + row("A1"), mapping
    )

    assert not found.story("A1").problems


@pytest.mark.parametrize("named", ["", 'delimiter = ";"'])
@pytest.mark.parametrize("hint", ["sep=;\r\n", '"sep=;"\n', "\ufeffSEP=;\n"])
def test_a_line_that_says_what_separates_is_none_of_the_table(tmp_path, named, hint):
    """17."""
    mapping = mapping_of(tmp_path, ('name = "probe"', f'name = "probe"\n{named}'))

    found = read(tmp_path, hint + (HEADER + row("A1")).replace(",", ";"), mapping)

    assert [line.number for line in found.histories[0].lines] == [3]


def test_other_prefaces_are_skipped_as_the_mapping_says(tmp_path):
    """17."""
    mapping = mapping_of(tmp_path, ('name = "probe"', 'name = "probe"\nskip_lines = 2'))

    found = read(tmp_path, "Report of\nMarch, 2026\n\n" + HEADER + row("A1"), mapping)

    assert [line.number for line in found.histories[0].lines] == [5]


def test_a_long_cell_is_one_cell_and_nothing_out_of_it_is_a_row(tmp_path):
    """08: a mail of 140 000 letters, one line of it shaped like a row that closes a request."""
    inside = row("A9", status="Closed", customer="Intruder")
    mail = ("x" * 70_000 + "\n" + inside) * 2
    text = HEADER + row("A1", title=f'"{mail}"') + row("A2") + row("A3")

    found = read(tmp_path, text, mapping_of(tmp_path))

    assert [history.external_id for history in found.histories] == ["A1", "A2", "A3"]
    assert "too long" in found.story("A1").problems[0][1].message("en")
    assert not found.story("A3").problems


@pytest.mark.parametrize(
    "wrong",
    [
        row("A2", title='"19" monitor') + row("A9", status="Closed") + ' and "foo" bar",x\n',
        row("A2", title='"never closed') + row("A9", status="Closed"),
    ],
)
def test_after_a_wrong_quote_nothing_is_a_row_any_more(tmp_path, wrong):
    """08, L8: nobody can tell rows from the text of a cell there; all of it is one range."""
    text = HEADER + row("A1") + wrong + row("A3") * 400

    found = read(tmp_path, text, mapping_of(tmp_path))

    assert [history.external_id for history in found.histories] == ["A1"]
    [(line, error)] = found.strangers
    assert (line.number, line.through) == (3, text.count("\n"))
    assert "a quote is wrong" in error.message("en")


def test_a_request_that_unreadable_text_mentions_waits(tmp_path):
    """L1, L8: the rest of it may stand there."""
    text = HEADER + row("A1") + row("A2") + row("A3", title='"19" monitor') + row("A1")

    found = read(tmp_path, text, mapping_of(tmp_path))

    assert "line 4" in found.survey.problem_of("A1").message("en")
    assert found.survey.problem_of("A2") is None


def test_a_carriage_return_outside_quotes_makes_no_row(tmp_path):
    """08: what follows it in its cell is text."""
    intruder = row("A9", status="Closed").replace(",", ";").strip()
    mapping = mapping_of(tmp_path, ('name = "probe"', 'name = "probe"\ndelimiter = ";"'))
    text = (HEADER + row("A1", title="TITLE") + row("A2")).replace(",", ";")

    found = read(tmp_path, text.replace("TITLE", f"x\r{intruder}"), mapping)

    assert [history.external_id for history in found.histories] == ["A2"]
    assert "carriage return" in found.strangers[0][1].message("en")


def test_quotes_and_escapes_are_those_of_the_mapping(tmp_path):
    """R-IMP-01."""
    mapping = mapping_of(
        tmp_path, ('name = "probe"', 'name = "probe"\nquote = "\'"\nescape = "\\\\"')
    )

    found = read(tmp_path, HEADER + row("A1", title="'it\\'s, \"so\"'"), mapping)

    assert found.story("A1").about.title == 'it\'s, "so"'


def test_remarks_of_one_kind_are_told_in_ranges():
    """L8: 400 lines with 400 wrong times are one sentence."""
    remarks = [Remark(n, f"时间：{n}", f"time: {n}", n, "time") for n in (*range(2, 402), 500)]

    told = [str(each) for each in in_ranges(remarks)]

    assert told == [
        "第 2–401 行：时间：2 / lines 2–401: time: 2",
        "第 500 行：时间：500 / line 500: time: 500",
    ]


cells = st.text(st.sampled_from("=+-@'\t\r\n\",;ab＝ "), max_size=12)


@given(st.lists(cells, min_size=7, max_size=7).filter(lambda row: any(map(str.strip, row))))
def test_rejects_come_back_as_they_were_and_are_no_formulas(tmp_path_factory, values):
    """R-IMP-01: mended in a spreadsheet, a file of rejects runs nothing."""
    folder: Path = tmp_path_factory.mktemp("rejects")
    file, rejects = folder / "export.csv", folder / "rejects.csv"
    with file.open("w", newline="") as stream:
        csv.writer(stream).writerows([HEADER.strip().split(","), values])
    mapping = mapping_of(folder)
    before = lines_of(file, mapping)

    write_rejects(rejects, file, Source(name="probe"), [Remark(before[0].number, "错", "wrong")])

    [back] = lines_of(rejects, mapping)
    assert list(back.cells[2:]) == list(before[0].cells) == values
    with rejects.open(newline="") as stream:
        header, cells_there = csv.reader(stream)
    assert header[1] == REASON_COLUMN
    assert not any(cell[:1] in "=+-@\t\r＝" for cell in cells_there if cell)


@pytest.mark.parametrize("said", ['quote = ""', 'quote = ""\nescape = "\\\\"', ""])
def test_a_line_with_a_carriage_return_comes_back_among_the_rejects(tmp_path, said):
    """08, R-IMP-01: without quotes, too, where no cell can hold what separates cells."""
    mapping = mapping_of(tmp_path, ('name = "probe"', f'name = "probe"\n{said}'))
    file, rejects = tmp_path / "export.csv", tmp_path / "rejects.csv"
    file.write_bytes((HEADER + row("A1") + row("A2", title="a\rb")).encode())
    written = lines_of(file, mapping)[1]

    remark = Remark.of(written, written.problem)
    write_rejects(rejects, file, mapping.document.source, [remark])

    text = rejects.read_bytes().decode().replace("\\", "")
    assert row("A2", title="a\rb").strip() in text
    [back] = lines_of(rejects, mapping)
    assert back.problem is not None


@pytest.mark.parametrize("moved", ["LINE,id,at", "id,at,LINE", "id,REASON,at", "id,LINE,REASON,at"])
def test_rejects_may_come_back_with_their_own_columns_moved_or_gone(tmp_path, moved):
    """L1: no column of the export is taken for one of them, and none is lost."""
    header = (
        HEADER.replace("id,at", moved).replace("LINE", LINE_COLUMN).replace("REASON", REASON_COLUMN)
    )
    lines = [
        line.replace("A1," + at, moved.replace("id", "A1").replace("at", at))
        for at in ("2026-03-02 10:00:00", "2026-03-03 10:00:00")
        for line in [row("A1", at)]
    ]
    file, rejects = tmp_path / "export.csv", tmp_path / "rejects.csv"
    mapping = mapping_of(tmp_path)

    assert len(read(tmp_path, header + "".join(lines), mapping).story("A1").told) == 2

    write_rejects(rejects, file, mapping.document.source, [Remark(2, "错", "wrong")])
    with rejects.open(newline="") as stream:
        names, cells_there = csv.reader(stream)
    assert names == [LINE_COLUMN, REASON_COLUMN, *HEADER.strip().split(",")]
    assert cells_there[2:] == row("A1").strip().split(",")


def test_rejects_keep_the_shape_of_their_file(tmp_path):
    """R-IMP-01: encoding, separator and byte order mark; several lines of one row are named."""
    file, rejects = tmp_path / "export.csv", tmp_path / "rejects.csv"
    text = "sep=;\n" + (HEADER + row("A1", title='"two\nlines"') + row("A2")).replace(",", ";")
    file.write_bytes(text.encode("utf-16"))
    mapping = mapping_of(tmp_path)

    write_rejects(rejects, file, mapping.document.source, [Remark(3, "错", "wrong", 4)])

    [line] = lines_of(rejects, mapping)
    assert line.cells[:3] == ["3-4", "错 / wrong", "A1"]
    assert rejects.read_bytes()[:2] == b"\xff\xfe"
    assert rejects.stat().st_mode & 0o777 == 0o600


def test_a_guarded_cell_has_one_apostrophe_more():
    """R-IMP-01."""
    assert guarded("-1:20") == "'-1:20"
    assert guarded("'=x") == "''=x"
    assert guarded("plain") == "plain"
