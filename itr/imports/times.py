"""Reading times as exports write them: many formats, zones by name, two languages (R-IMP-01)."""

import calendar
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator

from itr.imports.errors import bad_line
from itr.imports.source import Part
from itr.time_zones import is_time_zone

ISO, EPOCH, EPOCH_MS, EXCEL = "iso", "epoch", "epoch_ms", "excel"
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
"""No desk has kept its requests for longer."""

_UTC_NAMES = frozenset({"UTC", "GMT", "Z", "UCT"})
_ZONE_TOLD = "%Z"
_LAST_WORD = re.compile(r"(.*\S)\s+\(?([A-Za-z][A-Za-z0-9_/+:\-]*)\)?")
_OFFSET = re.compile(r"(?:UTC|GMT)([+-])(\d{1,2})(?::?(\d\d))?")
_DAY_ZERO = datetime(1899, 12, 30)  # noqa: DTZ001 - a spreadsheet's day has no zone
_HALVES = str.maketrans({"．": ".", "：": ":", "／": "/", "　": " ", "\xa0": " ", "\u202f": " "})
_BEFORE_NOON = ("上午", "凌晨", "早上", "清晨")
_ABOUT_NOON, _EVENING = "中午", ("傍晚", "晚上")
_AFTER_NOON = ("下午", _ABOUT_NOON, *_EVENING)
_HALF_A_DAY = timedelta(hours=12)
_NOON, _LATEST_ABOUT_NOON = 12, 20
_MONTHS: Sequence[str] = calendar.month_abbr[1:]
_MONTHS_WHOLE: Sequence[str] = calendar.month_name[1:]
_HAN = ("一", "二", "三", "四", "五", "六", "七", "八", "九", "十", "十一", "十二")
_HAN_MONTH = re.compile(r"(十[一二]?|[一二三四五六七八九]|\d{1,2})月")


class Time(Part):
    """When a line happened: a column, how it is written, and where naive times were told.

    `registered` is a column of when the request was registered; `zones` says what the names of
    zones in the values stand for.
    """

    column: str | None = None
    zone: str | None = None
    format: str | tuple[str, ...] = ISO
    zones: dict[str, str] = Field(default_factory=dict)
    registered: str | None = None

    @field_validator("zone")
    @classmethod
    def _is_zone(cls, value: str | None) -> str | None:
        if value is not None and not is_time_zone(value):
            raise ValueError("no such time zone")
        return value

    @field_validator("zones")
    @classmethod
    def _are_zones(cls, value: dict[str, str]) -> dict[str, str]:
        for zone in value.values():
            if not is_time_zone(zone):
                raise ValueError(f"no such time zone: {zone}")
        return value

    @field_validator("format")
    @classmethod
    def _names_the_zone_last(cls, value: str | tuple[str, ...]) -> str | tuple[str, ...]:
        formats = (value,) if isinstance(value, str) else value
        if not formats:
            raise ValueError("at least one format")
        for each in formats:
            if _ZONE_TOLD in each and not re.fullmatch(r"[^%]*(%[^Z][^%]*)*\s%Z", each):
                raise ValueError("%Z stands at the end, after a blank")
        return value

    @property
    def formats(self) -> tuple[str, ...]:
        """The formats to be tried, in this order."""
        return (self.format,) if isinstance(self.format, str) else self.format

    @property
    def info(self) -> ZoneInfo | None:
        """The zone of naive times."""
        return ZoneInfo(self.zone) if self.zone else None

    def columns(self) -> Iterator[str]:
        """The columns it reads."""
        yield from (each for each in (self.column, self.registered) if each)

    def read(self, text: str, now: datetime) -> tuple[datetime, datetime | None]:
        """The instant a cell names, and the second one where the clocks were put back.

        Raises DomainError for no time, one without a zone, one before 1970 or after `now`.
        """
        at, again = _in_zone(self._as_told(text.strip()), self.info)
        if at < EARLIEST:
            raise bad_line("时间过早", "too long ago", text)
        if at > now:
            raise bad_line("时间在将来", "in the future", text)
        return at, again if again is None or again <= now else None

    def _as_told(self, text: str) -> datetime:
        for way in self.formats:
            try:
                return _read(text, way, self.zones)
            except (ValueError, OverflowError, OSError):
                continue
        raise bad_line("时间无法识别", "not a time", text)


def _read(text: str, format: str, zones: Mapping[str, str]) -> datetime:
    match format:
        case "iso":
            return _read_iso(text, zones)
        case "epoch":
            return datetime.fromtimestamp(float(text), UTC)
        case "epoch_ms":
            return datetime.fromtimestamp(float(text) / 1000, UTC)
        case "excel":
            return _read_serial(text)
    if format.endswith(_ZONE_TOLD):
        told, zone = _zone_told(text, zones)
        return _localised(told, format.removesuffix(_ZONE_TOLD).strip()).replace(tzinfo=zone)
    return _localised(text, format)


def _read_iso(text: str, zones: Mapping[str, str]) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        told, zone = _zone_told(text, zones)
        return datetime.fromisoformat(told).replace(tzinfo=zone)


def _read_serial(text: str) -> datetime:
    """A spreadsheet's serial day, to the millisecond: its fractions are not exact."""
    milliseconds = round(float(text.replace(",", ".")) * 86_400_000)
    return _DAY_ZERO + timedelta(milliseconds=milliseconds)


def _zone_told(text: str, zones: Mapping[str, str]) -> tuple[str, tzinfo]:
    """A time and the zone its last word names. Raises ValueError for a name nobody explained."""
    found = _LAST_WORD.fullmatch(text)
    if found is None:
        raise ValueError(text)
    return found[1], _zone_named(zones.get(found[2], found[2]))


@lru_cache(maxsize=100)
def _zone_named(name: str) -> tzinfo:
    """A zone of the database, or an offset; letters such as CST, which mean several, are none."""
    if name in _UTC_NAMES:
        return UTC
    if offset := _OFFSET.fullmatch(name):
        sign, hours, minutes = offset.groups()
        return datetime.strptime(f"{sign}{int(hours):02}{minutes or '00'}", "%z").tzinfo or UTC
    if "/" not in name or not is_time_zone(name):
        raise ValueError(name)
    return ZoneInfo(name)


def _localised(text: str, format: str) -> datetime:
    """By a format, with Chinese names of months and halves of the day as good as English ones."""
    english = text if text.isascii() else _in_english(text, format)
    at = datetime.strptime(english, format)  # noqa: DTZ007 - the zone is the mapping's to say
    return _by_the_hour(at, text) if "%p" in format else at


def _by_the_hour(at: datetime, text: str) -> datetime:
    """Eleven about noon is before it; twelve in the evening is no time one can be sure of."""
    if _ABOUT_NOON in text and at.hour > _LATEST_ABOUT_NOON:
        return at - _HALF_A_DAY
    if at.hour == _NOON and any(each in text for each in _EVENING):
        raise ValueError(text)
    return at


def _in_english(text: str, format: str) -> str:
    text = text.translate(_HALVES)
    if "%p" in format:
        for half, names in (("AM", _BEFORE_NOON), ("PM", _AFTER_NOON)):
            for each in names:
                text = text.replace(each, half)
    if "%b" in format or "%B" in format:
        months = _MONTHS if "%b" in format else _MONTHS_WHOLE
        text = _HAN_MONTH.sub(lambda found: months[_month(found[1]) - 1], text)
    return text


def _month(name: str) -> int:
    return int(name) if name.isdigit() else _HAN.index(name) + 1


def _in_zone(at: datetime, zone: tzinfo | None) -> tuple[datetime, datetime | None]:
    try:
        if isinstance(at.tzinfo, ZoneInfo):
            return _told_in(at.replace(tzinfo=None), at.tzinfo)
        if at.tzinfo is not None:
            return at.astimezone(UTC), None
        return _told_in(at, zone)
    except OverflowError:
        raise bad_line("时间无法识别", "not a time", str(at)) from None


def _told_in(at: datetime, zone: tzinfo | None) -> tuple[datetime, datetime | None]:
    if zone is None:
        raise bad_line("时间没有时区", "a time without a zone")
    first = at.replace(tzinfo=zone).astimezone(UTC)
    second = at.replace(tzinfo=zone, fold=1).astimezone(UTC)
    if first.astimezone(zone).replace(tzinfo=None) != at:
        raise bad_line("当地没有这一时刻", "the zone has no such time", str(at))
    return first, second if second > first else None
