"""Logs: JSON lines for machines, readable ones in a terminal; a request's id, and no secrets."""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, Literal

import structlog

Format = Literal["auto", "json", "text"]
_SECRETS = re.compile(
    r"(?P<before>bearer\s+|basic\s+|://[^\s:/@]*:|(?:password|passwd|secret|token|assertion|code)"
    r"[\"']?\s*[=:]\s*[\"']?)(?P<secret>[^\s\"'&,;@]+)|eyJ[\w-]+\.[\w-]+\.[\w-]*",
    re.IGNORECASE,
)


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
            structlog.processors.format_exc_info,
            _without_secrets,
            *last,
        ],
    )


def redacted(text: str) -> str:
    """The text without tokens, passwords and what else must not be written down (S15)."""
    return _SECRETS.sub(lambda found: f"{found['before'] or ''}***", text)


def _without_secrets(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for name, value in event.items():
        if isinstance(value, str):
            event[name] = redacted(value)
    return event
