"""What a request waits for, as the API shows it (R-REQ-03)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import strawberry

from itr.sla.terms import WaitingReason


@strawberry.type(description="One reason a request waits for (R-REQ-03). 等待")
class RequestWait:
    """One reason a request waits for."""

    reason: WaitingReason = strawberry.field(description="For whom or what.")
    since: datetime = strawberry.field(description="Since when.")


def waits_of(values: Mapping[str, Any], context: Any) -> list[RequestWait]:  # noqa: ARG001
    """The open reasons, in the order they were told."""
    if values["waiting_reason"] is None:
        return []
    return [
        RequestWait(
            reason=WaitingReason(each["reason"]), since=datetime.fromisoformat(each["since"])
        )
        for each in values["waits"]
    ]
