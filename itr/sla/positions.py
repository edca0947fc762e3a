"""Where calendars stand at an instant, in SQL: the clocks' unit of time (Decision 2)."""

from itr.sla.spans import ALWAYS

_US = "(extract(epoch from {0}) * 1000000)::bigint"

POSITIONS_NOW = (
    "select v.id, s.before_us + "
    + _US.format("(least(:now, s.ends_at) - s.starts_at)")
    + " as us, :now < s.ends_at as is_open,"
    f" case when s.ends_at >= '{ALWAYS.ends_at.isoformat()}' then null"
    " when :now < s.ends_at then s.ends_at else"
    " (select min(n.starts_at) from calendar_span n"
    " where n.calendar_version_id = v.id and n.starts_at > :now) end as changes_at"
    " from calendar_version v cross join lateral (select * from calendar_span s"
    " where s.calendar_version_id = v.id and s.starts_at <= :now"
    " order by s.starts_at desc limit 1) s"
)
"""Each calendar version: working time since the epoch, open or not, and until when."""

POSITION_OF = (
    "(select s.before_us + "
    + _US.format("(least(:now, s.ends_at) - s.starts_at)")
    + " from calendar_span s where s.calendar_version_id = {calendar} and s.starts_at <= :now"
    " order by s.starts_at desc limit 1)"
)
"""The same of one calendar version, looked up where it is needed."""
