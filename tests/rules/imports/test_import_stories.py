"""What the lines of one request tell together (R-IMP-01)."""

from datetime import UTC, datetime

import pytest

from itr.imports.errors import CannotImport
from itr.imports.rows import LINE_COLUMN, REASON_COLUMN
from itr.imports.terms import Kind
from itr.requests.terms import Channel, RequestKind
from tests.support.exports import HEADER, mapping_of, read, row


def problems(story) -> list[str]:
    return [error.message("en") for _, error in story.problems]


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ({"customer": "Ac\0me"}, "customer: The text has control characters"),
        ({"customer": "x" * 201}, "customer: The text is too long: at most 200 characters"),
        ({"customer": ""}, "customer: This is required"),
        ({"team": "x" * 201}, "team: The text is too long"),
        ({"who": "a\0b"}, "person: The text has control characters"),
        ({"title": "x" * 401}, "title: The text is too long: at most 400 characters"),
        ({"title": ""}, "title: This is required"),
        ({"at": "9999-12-31 00:00:00"}, "in the future: 9999-12-31 00:00:00"),
        ({"at": "1899-12-31 00:00:00"}, "too long ago: 1899-12-31 00:00:00"),
        ({"at": "0001-01-01 00:00:00"}, "not a time"),
        ({"at": "2027-03-02 10:00:00"}, "in the future"),
        ({"at": "2026-06-01 08:00:01"}, "in the future"),
    ],
)
def test_what_no_field_can_hold_is_listed_with_its_line(tmp_path, cells, said):
    """05, 06, 07, 11, 12: the line is listed, whatever is wrong with it; the others go in."""
    text = HEADER + row("A1") + row("A2", **cells)

    found = read(tmp_path, text, mapping_of(tmp_path))

    assert not found.story("A1").problems
    [(line, error)] = found.story("A2").problems
    assert line == 3
    assert said in error.message("en")
    assert error.message("zh") != error.message("en")


def test_a_product_without_a_sane_name_is_listed_too(tmp_path):
    """06, 07: every name that comes out of a cell."""
    mapping = mapping_of(tmp_path, ("[person]", '[product]\nname = "{title}"\n[person]'))

    found = read(tmp_path, HEADER + row("A1", title="x" * 201), mapping)

    assert "product: The text is too long" in problems(found.story("A1"))[0]


def test_what_a_row_does_not_know_has_the_mappings_default(tmp_path):
    """10, 11: blank or "?" is unknown; names have tables of their own."""
    mapping = mapping_of(
        tmp_path,
        ('name = "probe"', 'name = "probe"\nunknown = ["?", "-"]'),
        ('"{customer}"', '"{customer}"\ndefault = "Nobody in particular"\nvalues = { A = "Acme" }'),
        ('"{team}"', '"{team}"\ndefault = "Desk"'),
    )
    text = HEADER + row("A1", customer="?") + row("A2", customer="A", team="") + row("A3")

    found = read(tmp_path, text, mapping)

    names = [(each.customer, each.team) for n in (1, 2, 3) for each in found.story(f"A{n}").told]
    assert names == [("Nobody in particular", "Desk"), ("Acme", "Desk"), ("Acme", "Desk")]


def test_kind_and_channel_come_by_tables_of_values(tmp_path):
    """R-IMP-01."""
    mapping = mapping_of(
        tmp_path,
        ("[branch]", '[channel]\ncolumn = "title"\nvalues = { mail = "EMAIL", "*" = "PHONE" }\n'
         '[kind]\ncolumn = "title"\ndefault = "TECHNICAL"\nvalues = { ask = "NON_TECHNICAL" }\n'
         "[branch]"),
    )  # fmt: skip
    text = HEADER + row("A1", title="mail") + row("A2", title="ask")

    found = read(tmp_path, text, mapping)

    assert [found.story("A1").about.channel, found.story("A2").about.channel] == [
        Channel.EMAIL,
        Channel.PHONE,
    ]
    assert found.story("A2").about.kind is RequestKind.NON_TECHNICAL


def test_queued_and_nobodys_needs_no_name(tmp_path):
    """10."""
    found = read(tmp_path, HEADER + row("A1", who="", status="Queued"), mapping_of(tmp_path))

    assert [(each.kind, each.owner) for each in found.story("A1").told] == [("QUEUED", "")]


def test_an_owner_may_be_optional_and_who_acted_is_somebody_else(tmp_path):
    """R-IMP-01: what nobody has is in the queue; what nobody took back stays with who had it."""
    mapping = mapping_of(
        tmp_path,
        ('"{who}"', '"{who}"\noptional = true\n[actor]\nname = "{title}"'),
    )
    text = HEADER + "".join(
        [
            row("A1", "2026-03-02 10:00:00", "Open", who=""),
            row("A1", "2026-03-02 11:00:00", "Open", who="ann", title="boss"),
            row("A1", "2026-03-02 12:00:00", "Resolved", who="", title="bob"),
        ]
    )

    told = read(tmp_path, text, mapping).story("A1").told

    assert [(each.kind, each.owner, each.actor) for each in told] == [
        (Kind.QUEUED, "", "printer"),
        (Kind.WORKING, "ann", "boss"),
        (Kind.DELIVERED, "ann", "bob"),
    ]


@pytest.mark.parametrize("said", ["", "newest_first = true"])
def test_the_newest_first_is_read_from_its_end(tmp_path, said):
    """09: two changes of one second, closed after they were resolved."""
    mapping = mapping_of(tmp_path, ('name = "probe"', f'name = "probe"\n{said}'))
    text = HEADER + "".join(
        [
            row("A1", "2026-03-03 10:00:00", "Closed"),
            row("A1", "2026-03-03 10:00:00", "Resolved"),
            row("A1", "2026-03-02 10:00:00", "Open"),
        ]
    )

    told = read(tmp_path, text, mapping).story("A1").told

    assert [each.kind for each in told] == ["WORKING", "DELIVERED", "CLOSED"]


def test_the_oldest_first_keeps_its_order_within_a_second(tmp_path):
    """09."""
    text = (
        HEADER
        + row("A1", status="Open")
        + row("A1", status="Resolved")
        + row("A1", status="Closed")
    )

    told = read(tmp_path, text, mapping_of(tmp_path)).story("A1").told

    assert [each.kind for each in told] == ["WORKING", "DELIVERED", "CLOSED"]


def test_the_remark_of_every_line_can_be_kept_and_a_blank_one_is_none(tmp_path):
    """L4, R-IMP-01: as the page for whoever imports says."""
    remark = '{ column = "at", kind = "REMARK", text = "{note}" }'
    mapping = mapping_of(
        tmp_path, ('columns = ["status"]', f'columns = ["status"]\ntimes = [{remark}]')
    )
    note = HEADER.strip() + ",note\n"
    lines = (
        row("A1").strip() + ",looked at it\n" + row("A1", "2026-03-03 10:00:00").strip() + ", \n"
    )

    told = read(tmp_path, note + lines, mapping).story("A1").told

    said = [(each.kind, each.words) for each in told]
    assert said == [("REMARK", "looked at it"), ("WORKING", "Open"), ("WORKING", "Open")]


def test_all_that_is_wrong_with_a_request_is_told_at_once(tmp_path):
    """L1, R-IMP-01: nobody mends a status to hear of a title afterwards."""
    text = HEADER + row("A1", title=" ") + row("A1", "2026-03-03 10:00:00", "Elsewhere")

    story = read(tmp_path, text, mapping_of(tmp_path)).story("A1")

    said = {line: error.message("en") for line, error in story.problems}
    assert "title" in said[2]
    assert "unknown status" in said[3]


def test_a_line_that_is_there_twice_tells_nothing_more(tmp_path):
    """L2, R-IMP-01: two exports in one file; what went there and back in one minute stays."""
    closed = row("A1", "2026-03-03 10:00:00", "Resolved")
    again = row("A1") + row("A1", status="Pending") + row("A1") + closed
    text = HEADER + again + closed + closed

    told = read(tmp_path, text, mapping_of(tmp_path)).story("A1").told
    assert [each.kind for each in told] == ["WORKING", "WAITING", "WORKING", "DELIVERED"]

    rejects = f"{LINE_COLUMN},{REASON_COLUMN},{HEADER}2,x,{closed}3,y,{closed}"
    assert len(read(tmp_path, rejects, mapping_of(tmp_path)).story("A1").told) == 1


def test_several_columns_of_times_are_each_something_that_happened(tmp_path):
    """L4: told on every line, each happened once; registered when the source says."""
    mapping = mapping_of(
        tmp_path,
        ('column = "at"', 'column = "at"\nregistered = "opened"'),
        (
            '{ values = ["Resolved"], kind = "DELIVERED" }',
            '{ values = ["Resolved"], kind = "SKIP" }',
        ),
        ("meanings = [", 'times = [{ column = "resolved", kind = "DELIVERED" }]\nmeanings = ['),
    )
    more = ",2026-03-02 08:00:00,2026-03-02 15:30:00\n"
    text = HEADER.replace("\n", ",opened,resolved\n") + "".join(
        [
            row("A1", "2026-03-02 10:00:00", "Open", who="ann").replace("\n", more),
            row("A1", "2026-03-02 15:00:00", "Open", who="bob").replace("\n", more),
            row("A1", "2026-03-02 16:00:00", "Resolved", who="cid").replace("\n", more),
        ]
    )

    story = read(tmp_path, text, mapping).story("A1")

    assert story.registered_at == datetime(2026, 3, 2, 0, tzinfo=UTC)
    assert [(each.kind, f"{each.at:%H:%M}", each.owner) for each in story.told] == [
        (Kind.WORKING, "02:00", "ann"),
        (Kind.WORKING, "07:00", "bob"),
        (Kind.DELIVERED, "07:30", "bob"),
    ]


def test_cells_of_several_values_are_taken_apart(tmp_path):
    """R-IMP-01: repeated columns of comments, each with its time, its writer and its words."""
    mapping = mapping_of(
        tmp_path,
        ('"{who}"', '"{who}"\nseparator = "/"\ntake = "last"'),
        ("[person]", '[requester]\nname = "user"\n[person]'),
        ("meanings = [", 'times = [{ column = "Comment[*]", kind = "MESSAGE", '
         'parts = "{time};{writer};{words}", by = "{writer}", text = "{words}" }]\nmeanings = ['),
    )  # fmt: skip
    comments = ",2026-03-02 11:00:00;ann;look; there,2026-03-02 12:00:00;user;thanks\n"
    text = HEADER.replace("\n", ",Comment,Comment\n") + row("A1", who="zoe/ann").replace(
        "\n", comments
    )

    told = read(tmp_path, text, mapping).story("A1").told

    assert [(each.kind, each.actor, each.owner, each.words) for each in told[1:]] == [
        (Kind.ANSWER, "ann", "ann", "look; there"),
        (Kind.CUSTOMER_REPLY, "user", "ann", "thanks"),
    ]


CHANGES = """
[changes]
field = "title"
old = "customer"
new = "who"
fields = { state = "status", owner = ["assignee", "owner"] }
"""


def test_lines_of_a_field_its_old_and_its_new_value(tmp_path):
    """R-IMP-01: a value stands until the next change, and was the old one before the first."""
    mapping = mapping_of(
        tmp_path,
        ("[events]", CHANGES + "[events]"),
        ('"{title}"', '"Ticket {id}"'),
        ('"{title}"', '"Ticket {id}"'),
        ('"{customer}"', '"Acme"'),
        ('"{who}"', '"{owner}"\noptional = true'),
        ('["status"]', '["title", "state"]'),
        ('"Queued"', '"*", "new"'),
        ('["Open"]', '["label*", "*"], kind = "SKIP" },\n  { values = ["*", ["open", "reopened"]]'),
        ('["Pending"]', '["*", "pending*"]'),
        ('["Resolved"]', '["*", "*solved"]'),
        ('["Closed"]', '["*", "closed"]'),
        ('["Cancelled"]', '["*", "x"]'),
    )

    def change(minute: int, field: str, old: str, new: str) -> str:
        return row("7", f"2026-03-02 10:{minute:02}:00", title=field, customer=old, who=new)

    text = HEADER + "".join(
        [
            change(0, "group", "", "Desk"),
            change(1, "assignee", "", "ann"),
            change(2, "status", "new", "open"),
            change(3, "labels", "", "vpn"),
            change(4, "status", "open", "pending close"),
            change(5, "owner", "ann", "bob"),
            change(6, "status", "pending close", "auto-solved"),
        ]
    )

    told = read(tmp_path, text, mapping).story("7").told

    assert [(each.kind, each.owner) for each in told] == [
        (Kind.QUEUED, ""),
        (Kind.QUEUED, "ann"),
        (Kind.WORKING, "ann"),
        (Kind.WAITING, "ann"),
        (Kind.WAITING, "bob"),
        (Kind.DELIVERED, "bob"),
    ]


def test_a_line_that_is_left_out_still_tells_of_another_priority(tmp_path):
    """15, L3."""
    values = (
        'column = "title"\n[classification.values]\n'
        'big = { problem_type = "FAULT", fault_level = "CRITICAL", impact = "ENTERPRISE" }\n'
    )
    mapping = mapping_of(
        tmp_path,
        ("[classification.values]\n", "[classification]\n" + values),
        ('["Cancelled"], kind = "CANCELLED"', '["Cancelled"], kind = "SKIP"'),
    )
    text = HEADER + row("A1") + row("A1", "2026-03-02 11:00:00", "Cancelled", title="big")

    told = read(tmp_path, text, mapping).story("A1").told

    assert [each.kind for each in told] == [Kind.WORKING, Kind.RECLASSIFIED]


def test_a_request_of_which_no_line_says_anything_is_listed(tmp_path):
    """L1."""
    mapping = mapping_of(tmp_path, ('["Open"], kind = "WORKING"', '["Open"], kind = "SKIP"'))

    found = read(tmp_path, HEADER + row("A1"), mapping)

    assert problems(found.story("A1")) == ["no line says what happened"]


def test_all_that_a_mapping_gets_wrong_is_told_at_once(tmp_path):
    """04, 16, R-IMP-01: its own mistakes, then the columns its file has not."""
    with pytest.raises(CannotImport, match=r"time.colour.*request.kind"):
        mapping_of(
            tmp_path, ("[time]", "[time]\ncolour = 1"), ('id = "id"', 'id = "id"\nkind = "X"')
        )

    mapping = mapping_of(tmp_path, ("{customer}", "{client}"), ('id = "id"', 'id = "number"'))
    with pytest.raises(CannotImport, match="has no columns number, client"):
        read(tmp_path, HEADER + row("A1"), mapping)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (('kind = "CLOSED"', 'kind = "MERGED"'), "MERGED names the request it went into"),
        (('columns = ["status"]', "columns = []"), "one value per column"),
        (('column = "at"\n', ""), "time.column"),
        (("[time]", '[judgement]\ncolumn = "x"\nmet = ["y"]\nmissed = ["y"]\n[time]'), "different"),
        (('name = "probe"', 'name = "probe"\nquote = ";"\ndelimiter = ";"'), "three different"),
        (('zone = "Asia/Shanghai"', 'format = "%Z %H:%M"'), "%Z stands at the end"),
        (('"Probe branch"', '" "'), "branch.name: This is required"),
        (('"Probe branch"', f'"{"x" * 201}"'), "branch.name: The text is too long"),
        (('"Probe branch"', '"a\\u0000"'), "branch.name: The text has control characters"),
        (('"Probe branch"', '"{title}"'), "branch.name: one name for all"),
        (('"probe"', '"a\\u0000"'), "source.name: The text has control characters"),
        (('"probe"', '"--"'), "source.name: A name has at least one"),
    ],
)
def test_a_mapping_that_cannot_be_meant_is_refused(tmp_path, change, said):
    """R-IMP-01; 06, 07, 11: its own names, too, before anything is made by them."""
    with pytest.raises(CannotImport) as refused:
        mapping_of(tmp_path, change)

    assert said in str(refused.value)
