"""Computing figures: one statement, within what the actor sees (R-ROLE-04, R-KPI-01)."""

from collections.abc import Collection, Sequence

from itr.actors.actor import Actor
from itr.actors.permission import ensure_may
from itr.actors.roles import Permission
from itr.database import Reads, fetch_planned
from itr.errors import InvalidInput
from itr.figures.rules import (
    MOST_ROWS,
    Key,
    Question,
    Row,
    ensure_answerable,
    needed_for,
    rates_of,
    shares_of,
)
from itr.figures.statement import Statement
from itr.figures.terms import DIMENSIONS_OF, UNITS, FigureDimension, FigureName, Unit

F = FigureName
NOTHING_IS_NONE = frozenset(figure for figure in F if figure.value.endswith(("_MEDIAN", "_P90")))
"""Figures of which there are none without anything to measure; the others are zero then."""
DURATIONS = NOTHING_IS_NONE | {
    figure for figure in F if UNITS[figure] in (Unit.LATENESS, Unit.WAIT)
}
"""Figures that are microseconds."""


async def figures(
    pool: Reads,
    actor: Actor,
    asked: Question,
    wanted: Collection[FigureName] | None = None,
) -> list[Row]:
    """Figures of the requests of a period, one row per combination of the question's `by`.

    Only what is wanted is computed; None: all that can be split so. Raises Forbidden,
    InvalidInput, UnknownTimeZone, WrongDimension.
    """
    ensure_may(actor, Permission.READ_FIGURES)
    wanted = possible(asked.by) if wanted is None else wanted or possible(asked.by)[:1]
    ensure_answerable(asked, wanted)
    needed = set(needed_for(wanted))
    computed = [figure for figure in FigureName if figure in needed]
    statement = Statement(asked, actor)
    text = statement.text(computed)
    found = await fetch_planned(pool, text, *statement.values)
    if len(found) > MOST_ROWS:
        raise InvalidInput(
            path=["by"],
            zh_reason=f"结果超过 {MOST_ROWS} 行，请缩小范围。",
            en_reason=f"More than {MOST_ROWS} rows; ask for less.",
        )
    return _rows([tuple(row) for row in found], asked.by, computed, wanted)


def possible(by: Sequence[FigureDimension]) -> list[FigureName]:
    """The figures that can be split by all of these."""
    return [figure for figure in FigureName if set(by) <= DIMENSIONS_OF[UNITS[figure]]]


def _rows(
    found: list[tuple[object, ...]],
    by: Sequence[FigureDimension],
    computed: Sequence[FigureName],
    wanted: Collection[FigureName],
) -> list[Row]:
    rows = []
    for each in found:
        keys, names, values = each[: len(by)], each[len(by) : 2 * len(by)], each[2 * len(by) :]
        counts = {
            figure: _number(value, figure) for figure, value in zip(computed, values, strict=True)
        }
        rows.append(
            Row(
                keys=tuple(
                    Key(dimension, _text(key), _text(name))
                    for dimension, key, name in zip(by, keys, names, strict=True)
                ),
                values={**counts, **rates_of(counts, wanted)},
            )
        )
    return _with_shares(rows) if F.SHARE in wanted else rows


def _with_shares(rows: list[Row]) -> list[Row]:
    shares = shares_of([_requests(row) for row in rows])
    return [
        Row(row.keys, {**row.values, F.SHARE: share})
        for row, share in zip(rows, shares, strict=True)
    ]


def _requests(row: Row) -> int | None:
    """What a row adds to the whole; nothing where a dimension has no value."""
    count = row.values[F.REQUESTS]
    return int(count or 0) if all(key.value is not None for key in row.keys) else None


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _number(value: object, figure: FigureName) -> int | None:
    if value is None:
        return None if figure in NOTHING_IS_NONE else 0
    assert isinstance(value, int)
    return value
