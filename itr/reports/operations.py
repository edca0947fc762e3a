"""Computing figures: one statement, within what the actor sees (R-ROLE-04, R-KPI-01)."""

from collections.abc import Collection, Sequence
from decimal import Decimal

from itr.actor import Actor
from itr.database import Reads
from itr.errors import InvalidInput
from itr.people.permission import ensure_may
from itr.people.roles import Permission
from itr.reports.rules import (
    MOST_ROWS,
    FigureFilter,
    Key,
    Period,
    Row,
    ensure_dimensions,
    ensure_period,
    shares_of,
)
from itr.reports.statement import Statement
from itr.reports.terms import FigureDimension, FigureName
from itr.requests.policy import visible_requests


async def figures(
    pool: Reads,
    actor: Actor,
    period: Period,
    by: Sequence[FigureDimension] = (),
    *,
    where: FigureFilter | None = None,
    wanted: Collection[FigureName] = frozenset(FigureName),
) -> list[Row]:
    """Figures of the requests registered in a period, one row per combination of `by`.

    Only what is wanted is computed. Raises Forbidden, InvalidInput.
    """
    ensure_may(actor, Permission.READ_FIGURES)
    ensure_period(period)
    ensure_dimensions(by)
    computed = _computed(wanted)
    statement = Statement()
    text = statement.text(period, by, where or FigureFilter(), computed, visible_requests(actor))
    found = await pool.fetch(text, *statement.values)
    if len(found) > MOST_ROWS:
        raise InvalidInput(
            path=["by"],
            zh_reason=f"结果超过 {MOST_ROWS} 行，请缩小范围。",
            en_reason=f"More than {MOST_ROWS} rows; ask for less.",
        )
    return _rows([tuple(row) for row in found], by, computed)


def _computed(wanted: Collection[FigureName]) -> list[FigureName]:
    """What the statement computes, in the order of its columns; shares follow from requests."""
    needed = set(wanted) - {FigureName.SHARE}
    return [figure for figure in FigureName if figure in needed | {FigureName.REQUESTS}]


def _rows(
    found: list[tuple[object, ...]], by: Sequence[FigureDimension], computed: Sequence[FigureName]
) -> list[Row]:
    rows = []
    for each in found:
        keys, names, values = each[: len(by)], each[len(by) : 2 * len(by)], each[2 * len(by) :]
        rows.append(
            Row(
                keys=tuple(
                    Key(dimension, _text(key), _text(name))
                    for dimension, key, name in zip(by, keys, names, strict=True)
                ),
                values=dict(zip(computed, map(_number, values), strict=True)),
            )
        )
    shares = shares_of([_requests(row) for row in rows])
    return [
        Row(row.keys, {**row.values, FigureName.SHARE: share})
        for row, share in zip(rows, shares, strict=True)
    ]


def _requests(row: Row) -> int | None:
    """What a row adds to the whole; nothing where a dimension has no value."""
    count = row.values[FigureName.REQUESTS]
    return int(count or 0) if all(key.value is not None for key in row.keys) else None


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _number(value: object) -> int | Decimal | None:
    assert value is None or isinstance(value, int | Decimal)
    return value
