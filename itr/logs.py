"""Logs: JSON lines for machines, readable ones in a terminal; a request's id, nobody's values."""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, Literal, cast

import structlog

from itr.faults import trace_of

Format = Literal["auto", "json", "text"]
_SECRETS = re.compile(
    r"(?P<before>bearer\s+|basic\s+|://[^\s:/@]*:|(?:password|passwd|secret|token|assertion|code)"
    r"[\"']?\s*[=:]\s*[\"']?)(?P<secret>[^\s\"'&,;@]+)|eyJ[\w-]+\.[\w-]+\.[\w-]*",
    re.IGNORECASE,
)

_QUESTION = re.compile(r"\?[^\s\"]*")
"""What stands behind the path of an address."""


def set_up_logs(form: Format = "auto", *, level: int = logging.INFO) -> None:
    """Have everything that is logged in this process written to standard error, one way.

    `auto` is readable in a terminal and JSON elsewhere.
    """
    plain = form == "text" or (form == "auto" and sys.stderr.isatty())
    handler = logging.StreamHandler()
    handler.setFormatter(formatter(plain=plain))
    logging.basicConfig(handlers=[handler], level=level, force=True)
    logging.getLogger("arq").setLevel(logging.WARNING)


def formatter(*, plain: bool) -> logging.Formatter:
    """What makes a line of a record."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: list[structlog.typing.Processor] = (
        [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())]
        if plain
        else [structlog.processors.JSONRenderer(ensure_ascii=False)]
    )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            _without_values,
            _without_secrets,
            *last,
        ],
    )


def _without_values(logger: Any, _: str, event: MutableMapping[str, Any]) -> Any:
    """An error by its kind and way; of libraries' lines nothing of what was asked or raised."""
    del logger
    error = _error_in(event.pop("exc_info", None))
    if error is not None:
        event["exception"] = trace_of(error)
    source = str(event.get("logger", "")).partition(".")[0]
    if source == "asyncio":  # further lines show futures, and what they raised
        event["event"] = str(event["event"]).partition("\n")[0]
    if source == "uvicorn":
        event["event"] = _QUESTION.sub("?…", str(event["event"]))
    return event


def _error_in(exc_info: Any) -> BaseException | None:
    if isinstance(exc_info, BaseException):
        return exc_info
    found = sys.exc_info() if exc_info is True else exc_info or (None, None, None)
    return cast("BaseException | None", found[1])


def redacted(text: str) -> str:
    """The text without tokens, passwords and what else must not be written down (S15)."""
    return _SECRETS.sub(lambda found: f"{found['before'] or ''}***", text)


def _without_secrets(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for name, value in event.items():
        if isinstance(value, str):
            event[name] = redacted(value)
    return event
