"""The story of a request's lines: values that stand until they change, times told once."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from itr.errors import DomainError
from itr.imports.cells import filled
from itr.imports.errors import bad_line
from itr.imports.histories import History, Problem
from itr.imports.lines import About, Placed, Reader, Told, in_order
from itr.imports.meanings import Changes, Moment
from itr.imports.terms import OF_NOBODY, Kind


@dataclass
class Story:
    """All that is told of one request, in order, or why it does not go in."""

    told: list[Told] = field(default_factory=list)
    about: About | None = None
    registered_at: datetime | None = None
    problems: list[Problem] = field(default_factory=list)

    @property
    def ends_in(self) -> frozenset[str]:
        """The requests it was merged into as a duplicate; mostly none."""
        return frozenset(told.into for told in self.told if told.into)


def story_of(history: History, reader: Reader) -> Story:
    """What the lines of one request tell; every line that does not go in is named."""
    story = _told_by(history.placed, reader)
    story.problems.extend(history.problems)
    if not story.told and not story.problems:
        nothing = bad_line("没有一行说明发生了什么", "no line says what happened")
        story.problems.append((history.lines[0].number, nothing))
    return story


def _told_by(lines: Sequence[Placed], reader: Reader) -> Story:
    document, story = reader.mapping.document, Story()
    placed = list(_once(in_order(lines, document.source.newest_first)))
    if document.changes is not None:
        placed = list(carried(placed, document.changes))
    events: list[tuple[tuple[datetime, int, int], Told]] = []
    for place, each in enumerate(placed):
        try:
            told = reader.told(each, each.row)
        except DomainError as error:
            story.problems.append((each.number, error))
            continue
        if told is not None:
            events.append(((told.at, 1, place), told))
    for place, told in enumerate(_moments(placed, reader, story)):
        events.append(((told.at, 0, place), told))
    if not story.problems:
        events.sort(key=lambda event: event[0])
        story.told = list(_with_owners(_without_skipped([told for _, told in events]), story))
    if placed and (story.told or story.problems):
        _add_what_it_is_about(story, placed[0], reader)
    return story


def _once(placed: Sequence[Placed]) -> Iterator[Placed]:
    """The lines in order; one that says again what the line before says tells nothing."""
    before: Sequence[str] | None = None
    for each in placed:
        if each.line.said != before:
            yield each
        before = each.line.said


def carried(placed: Sequence[Placed], changes: Changes) -> Iterator[Placed]:
    """The lines, each with the values its request's fields have after it."""
    values = dict.fromkeys(changes.fields, "") | _before_the_first_change(placed, changes)
    for each in placed:
        column = changes.column_of.get(each.row[changes.field].strip())
        if column is not None:
            values[column] = each.row[changes.new]
        yield replace(each, row={**each.row, **values})


def _before_the_first_change(placed: Sequence[Placed], changes: Changes) -> dict[str, str]:
    """What each field was before anybody changed it: the old value of its first change."""
    found: dict[str, str] = {}
    for each in placed:
        column = changes.column_of.get(each.row[changes.field].strip())
        if changes.old is not None and column is not None:
            found.setdefault(column, each.row[changes.old])
    return found


def _moments(placed: Sequence[Placed], reader: Reader, story: Story) -> Iterator[Told]:
    """What the columns of times tell: each time once, as the line has it that was the last then."""
    times = reader.mapping.document.events.times
    found: dict[tuple[int, str], tuple[Moment, Placed, datetime, Mapping[str, str]]] = {}
    for each in placed:
        for place, moment in enumerate(times):
            try:
                for cell in reader.columns.each(moment.column, each.line.cells):
                    if cell in reader.mapping.document.source.unknown:
                        continue
                    at, parts = _instant_of(moment, cell, reader)
                    if (place, cell) not in found or (each.at is not None and each.at <= at):
                        found[place, cell] = (moment, each, at, parts)
            except DomainError as error:
                story.problems.append((each.number, error))
    for moment, each, at, parts in found.values():
        row = {**each.row, **parts} if moment.parts else each.row
        by = filled(moment.by, row) if moment.by else None
        words = filled(moment.text, row) if moment.text else ""
        if moment.text and not words and moment.kind is Kind.REMARK:
            continue
        try:
            yield reader.happened(each, row, at, moment, words or moment.column, by=by)
        except DomainError as error:
            story.problems.append((each.number, error))


def _instant_of(moment: Moment, cell: str, reader: Reader) -> tuple[datetime, Mapping[str, str]]:
    parts = moment.taken_apart(cell)
    if parts is None:
        raise bad_line(f"{moment.column} 不是预期的样子", f"{moment.column} has other parts", cell)
    return reader.mapping.document.time.read(parts["time"], reader.now)[0], parts


def _without_skipped(told: Sequence[Told]) -> Iterator[Told]:
    """What tells of something; what is left out still tells of a change of what it is about."""
    before: Told | None = None
    for each in told:
        if each.kind is not Kind.SKIP:
            before = each
            yield each
        elif before is not None and _is_about(each) != _is_about(before):
            before = replace(each, kind=Kind.RECLASSIFIED)
            yield before


def _is_about(told: Told) -> tuple[object, ...]:
    return told.classification, told.customer, told.product


def _with_owners(told: Iterator[Told], story: Story) -> Iterator[Told]:
    """Who has it in hand where a line names nobody (only if the mapping lets it).

    To work on is in nobody's hands in the queue; else it is who had it last, or who acted.
    """
    last = ""
    for each in told:
        owner = each.owner
        if not owner and each.kind not in OF_NOBODY:
            if each.kind in (Kind.WORKING, Kind.ASSIGNED):
                last = ""
                yield replace(each, kind=Kind.QUEUED)
                continue
            owner = last or each.actor
            if not owner:
                nobody = bad_line("没有责任人，也没有操作者", "nobody has it, and nobody acted")
                story.problems.append((each.line, nobody))
                continue
        elif not owner and each.kind is Kind.QUEUED:
            last = ""
        last = owner or last
        yield each if owner == each.owner else replace(each, owner=owner)


def _add_what_it_is_about(story: Story, first: Placed, reader: Reader) -> None:
    begun = story.told[0].at if story.told else reader.now
    try:
        story.about = reader.about(first)
        story.registered_at = reader.registered_at(first, begun)
    except DomainError as error:
        story.problems.append((first.number, error))
