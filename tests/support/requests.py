"""Working on requests as people do, by GraphQL: verbs, the states they lead to, what stands stored.

`do` lets somebody use a verb that must succeed; `attempt` returns the payload whatever it says.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from itertools import count
from typing import Any
from uuid import uuid4

from graphql import get_named_type
from tortoise.connection import get_connection

from itr.actors.roles import Role
from itr.requests.lifecycle import RequestVerb
from itr.requests.models import Request
from itr.requests.terms import RequestStatus
from tests.support.client import Answer
from tests.support.desk import Desk

S, V = RequestStatus, RequestVerb
_numbers = count(1)

CLOCKS = "clocks { thread state elapsed remaining target version deadline breachedAt counting }"
REQUEST = f"id number status version priority solution reopenCount viewerCan {CLOCKS}"

MUTATIONS: Mapping[RequestVerb, str] = {
    V.ACCEPT: "acceptRequest",
    V.REJECT: "rejectRequest",
    V.REAUTHORISE: "reauthoriseRequest",
    V.RECLASSIFY: "reclassifyRequest",
    V.DISPATCH: "dispatchRequest",
    V.START: "startRequest",
    V.WAIT: "waitRequest",
    V.RESUME: "resumeRequest",
    V.RESTORE: "restoreRequest",
    V.REQUEUE: "requeueRequest",
    V.DELIVER: "deliverRequest",
    V.CONFIRM: "confirmRequest",
    V.REJECT_SOLUTION: "rejectSolution",
    V.CLOSE: "closeRequest",
    V.REOPEN: "reopenRequest",
    V.CANCEL: "cancelRequest",
    V.ESCALATE: "escalateRequest",
    V.HAND_BACK: "handBackRequest",
    V.RESPOND: "respondToRequest",
    V.NOTE: "noteOnRequest",
    V.LOG_CALL: "logCall",
    V.PLAN: "planRequest",
}

TABLE_VERBS = tuple(MUTATIONS)
"""The verbs on a single request that this module knows how to use."""

CRITICAL = {"problemType": "FAULT", "faultLevel": "CRITICAL", "impact": "ENTERPRISE"}
MINOR = {"problemType": "FAULT", "faultLevel": "MINOR", "impact": "GROUP"}

QUEUE_OF = {"LINE2": "queue2", "LINE3": "queue3", "PARTNER": "queueFirm"}
"""Where the owner works; everybody else in the queue of line 1."""


@cache
def _input_types() -> dict[str, str]:
    from api.resolvers.root import product_schema

    fields = product_schema()._schema.mutation_type.fields  # type: ignore[union-attr]
    return {
        name: str(get_named_type(field.args["input"].type))
        for name, field in fields.items()
        if "input" in field.args
    }


async def do(desk: Desk, who: str, mutation: str, **given: Any) -> dict[str, Any]:
    """Let somebody use a verb; the request as it stands afterwards."""
    payload = await attempt(desk, who, mutation, **given)
    assert payload["userErrors"] == [], payload
    request: dict[str, Any] = payload["request"]
    return request


async def attempt(desk: Desk, who: str, mutation: str, **given: Any) -> dict[str, Any]:
    """Let somebody try a verb; its payload."""
    payload: dict[str, Any] = (await call(desk, who, mutation, **given)).data[mutation]
    return payload


async def refused(desk: Desk, who: str, mutation: str, **given: Any) -> str:
    """Let somebody try a verb that is refused; the code of the only userError."""
    payload = await attempt(desk, who, mutation, **given)
    assert payload["request"] is None, payload
    assert len(payload["userErrors"]) == 1, payload
    error = payload["userErrors"][0]
    assert error["message"]
    code: str = error["code"]
    return code


async def call(
    desk: Desk,
    who: str,
    mutation: str,
    *,
    language: str | None = "en",
    fields: str = REQUEST,
    **given: Any,
) -> Answer:
    """The whole answer to one mutation."""
    document = f"""mutation($input: {_input_types()[mutation]}!) {{ {mutation}(input: $input) {{
        clientMutationId userErrors {{ path code message }} request {{ {fields} }} }} }}"""
    return await desk.as_(who, language=language).run(document, {"input": given})


async def read(desk: Desk, who: str, id: str, fields: str = REQUEST) -> dict[str, Any] | None:
    """A request as somebody sees it, or None."""
    document = f"query($id: ID!) {{ node(id: $id) {{ ... on ServiceRequest {{ {fields} }} }} }}"
    found: dict[str, Any] | None = (await desk.as_(who).run(document, {"id": id})).data["node"]
    return found


async def ask(desk: Desk, who: str, query: str, **variables: Any) -> dict[str, Any]:
    """The data a query gives somebody."""
    return (await desk.as_(who).run(query, variables)).data


async def timeline(desk: Desk, who: str, id: str) -> list[dict[str, Any]]:
    """What somebody sees of what happened, oldest first."""
    fields = """timeline(first: 100) { nodes {
        type audience actorName occurredAt text reason fromStatus toStatus priority priorityBefore
    } }"""
    found = await read(desk, who, id, fields)
    assert found is not None
    nodes: list[dict[str, Any]] = found["timeline"]["nodes"]
    return nodes


def clock(request: dict[str, Any], thread: str) -> dict[str, Any]:
    """One clock of a request."""
    found: dict[str, Any] = next(c for c in request["clocks"] if c["thread"] == thread)
    return found


async def submitted(desk: Desk, who: str = "CUSTOMER", **more: Any) -> dict[str, Any]:
    """A request just registered."""
    given: dict[str, Any] = {
        "kind": "TECHNICAL",
        "title": "路由器不通 no route",
        "description": "从今天早上起 since this morning 🚨",
        "productId": desk.public("prd", "router"),
        **more,
    }
    if who in set(Role) - {Role.CUSTOMER} and not {"customerId", "contactId"} & given.keys():
        given["customerId"] = desk.public("org", "Acme")
    return await do(desk, who, "submitRequest", **given)


async def brought_to(
    desk: Desk,
    status: str,
    *,
    owner: str = "LINE1",
    queue: str | None = None,
    classified: Mapping[str, str] = CRITICAL,
    **more: Any,
) -> dict[str, Any]:
    """A request of Acme's in any state, worked on by the owner in the queue, or where it works."""
    request = await submitted(desk, **more)
    for who, verb, given in _way_to(desk, status, owner, queue, classified):
        request = await do(desk, who, verb, id=request["id"], **given)
    assert request["status"] == status
    return request


def _way_to(
    desk: Desk, status: str, owner: str, queue: str | None, classified: Mapping[str, str]
) -> list[tuple[str, str, dict[str, Any]]]:
    place = desk.public("que", queue or QUEUE_OF.get(owner, "queue1"))
    accept = ("LINE1", "acceptRequest", dict(classified))
    dispatch = ("DISPATCH_MANAGER", "dispatchRequest", {"queueId": place})
    start = (owner, "startRequest", dict[str, Any]())
    wait = (owner, "waitRequest", {"reason": "CUSTOMER"})
    restore = (owner, "restoreRequest", {"workaround": "备用链路"})
    deliver = (owner, "deliverRequest", {"solution": "换模块", "restoresService": True})
    confirm = ("CUSTOMER", "confirmRequest", dict[str, Any]())
    close = ("LINE1", "closeRequest", dict[str, Any]())
    reason = {"reason": "不需要了"}
    begun = [accept, dispatch, start]
    ways: dict[str, list[tuple[str, str, dict[str, Any]]]] = {
        S.REGISTERED: [],
        S.AUTHORISED: [accept],
        S.DISPATCHED: [accept, dispatch],
        S.IN_PROGRESS: begun,
        S.WAITING: [*begun, wait],
        S.RESTORED: [*begun, restore],
        S.DELIVERED: [*begun, deliver],
        S.CONFIRMED: [*begun, deliver, confirm],
        S.CLOSED: [*begun, deliver, confirm, close],
        S.REJECTED: [("LINE1", "rejectRequest", {**reason, "code": "NO_ISSUE"})],
        S.CANCELLED: [("CUSTOMER", "cancelRequest", reason)],
    }
    return ways[S(status)]


def input_for(
    desk: Desk, verb: RequestVerb, request: Mapping[str, Any], who: str = "LINE1"
) -> dict[str, Any]:
    """An input with which nothing but the move itself can be wrong.

    A partner firm knows no queue of ours: it hands back without naming one.
    """
    line = request.get("line") or 1
    if who == "PARTNER" and verb is V.HAND_BACK:
        return {"id": request["id"], "reason": "不在我方范围"}
    if who == "PARTNER" and verb is V.ESCALATE:
        own = desk.public("que", "queueFirm3")
        return {"id": request["id"], "queueId": own, "reason": "需要更高支持线"}
    up, down = desk.public("que", f"queue{min(line + 1, 3)}"), desk.public("que", "queue1")
    more: dict[RequestVerb, dict[str, Any]] = {
        V.ACCEPT: CRITICAL,
        V.RECLASSIFY: MINOR,
        V.REJECT: {"reason": "不受理", "code": "OUT_OF_SCOPE"},
        V.CANCEL: {"reason": "不需要了"},
        V.DISPATCH: {"queueId": desk.public("que", "queue1")},
        V.WAIT: {"reason": "CUSTOMER"},
        V.RESUME: {"answer": "X-200"},
        V.RESTORE: {"workaround": "备用链路"},
        V.REQUEUE: {"reason": "请同事接手"},
        V.DELIVER: {"solution": "换模块", "restoresService": True},
        V.REJECT_SOLUTION: {"reason": "仍然不通"},
        V.REOPEN: {"reason": "又断了"},
        V.ESCALATE: {"queueId": up, "reason": "需要更高支持线"},
        V.HAND_BACK: {"queueId": down, "reason": "一线可处理"},
        V.RESPOND: {"text": "在看"},
        V.NOTE: {"text": "备注"},
        V.LOG_CALL: {"summary": "已电话沟通"},
        V.PLAN: {"summary": "更换", "expectedAt": "2030-01-01T00:00:00Z"},
    }
    return {"id": request["id"]} | more.get(verb, {})


@dataclass(frozen=True)
class Stored:
    """What the database holds, briefly: two that are equal hold the same."""

    counts: tuple[int, ...]
    rows: str

    @property
    def events(self) -> int:
        """How many events the log has."""
        return self.counts[0]


TABLES = ("event", "request", "clock", "stint", "hand_over", "timer", "quota_taking")


async def stored(*, besides: Collection[str] = ()) -> Stored:
    """Count the rows of every table requests touch and digest their content."""
    tables = [table for table in TABLES if table not in besides]
    counts = ", ".join(f"(select count(*) from {table})" for table in tables)
    digests = " || ".join(
        f"(select coalesce(md5(string_agg(r::text, '|' order by r::text)), '') from {table} r)"
        for table in tables
    )
    rows = await get_connection("default").execute_query_dict(
        f"select array[{counts}] as counts, {digests} as rows"
    )
    return Stored(tuple(rows[0]["counts"]), rows[0]["rows"])


async def events_of(id: str) -> list[dict[str, Any]]:
    """Everything the log keeps about a request, in the order it was done."""
    return await get_connection("default").execute_query_dict(
        "select * from event where stream = $1 order by id", [id.removeprefix("req_")]
    )


async def timers_of(id: str) -> dict[str, datetime]:
    """What is set to happen to a request by itself."""
    rows = await get_connection("default").execute_query_dict(
        "select kind, due_at from timer where request_id = $1", [id.removeprefix("req_")]
    )
    return {row["kind"]: row["due_at"] for row in rows}


async def twin_of(request: Mapping[str, Any]) -> dict[str, Any]:
    """Another request that stands exactly like this one, without walking the way again."""
    old, new = request["id"].removeprefix("req_"), uuid4()
    await get_connection("default").execute_query(
        _TWIN.replace("{columns}", request_columns()),
        [old, str(new), f"SR-000000-{next(_numbers):04}"],
    )
    return {**request, "id": f"req_{new.hex}"}


def request_columns() -> str:
    """The columns of a request that can be written: not those PostgreSQL works out itself."""
    return ", ".join(sorted(Request._meta.db_fields))


_PARTS = ("clock", "stint", "hand_over", "timer")
_EVENT = (
    "type, subject_type, subject_version, audience, customer_id, branch_id, actor_id, actor_name,"
    " origin, occurred_at, historic, payload"
)
_COPY = "select (jsonb_populate_record(null::{0}, to_jsonb(it) || {1})).* from {0} it"
_COPY_OF_REQUEST = (
    "select {columns} from (select (jsonb_populate_record(null::request, to_jsonb(it) || {0})).*"
    " from request it where id = $1::uuid) copied"
)
_OWN = "jsonb_build_object('id', $2::text, 'number', $3::text)"
_OF_THE_TWIN = "jsonb_build_object('id', gen_random_uuid(), 'request_id', $2::text)"
_PART = "{0}s as (insert into {0} {1} where request_id = $1::uuid)"
_TWIN = f"""
with twin as (insert into request ({{columns}}) {_COPY_OF_REQUEST.replace("{0}", _OWN)}),
{", ".join(_PART.format(part, _COPY.format(part, _OF_THE_TWIN)) for part in _PARTS)}
insert into event (subject, stream, {_EVENT})
select $2::uuid, $2::uuid, {_EVENT} from event where stream = $1::uuid order by id
"""


def new_key() -> str:
    """A `clientMutationId` nobody used before."""
    return f"key-{next(_numbers)}"
