"""Bad input gets its null, userError or coded error, changes nothing, and is never a 500."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from itr.settings import Settings
from tests.support.client import Answer
from tests.support.desk import Desk, open_desk
from tests.support.requests import MUTATIONS, attempt, brought_to, call, do, stored, timeline

WORDS = {
    "rejectRequest": "reason",
    "cancelRequest": "reason",
    "waitRequest": "note",
    "resumeRequest": "answer",
    "restoreRequest": "workaround",
    "requeueRequest": "reason",
    "deliverRequest": "solution",
    "rejectSolution": "reason",
    "reopenRequest": "reason",
    "escalateRequest": "reason",
    "handBackRequest": "reason",
    "respondToRequest": "text",
    "noteOnRequest": "text",
    "logCall": "summary",
    "planRequest": "summary",
}
"""The free text of each mutation."""

STATE_FOR = {
    "rejectRequest": "AUTHORISED",
    "cancelRequest": "AUTHORISED",
    "resumeRequest": "WAITING",
    "rejectSolution": "DELIVERED",
    "reopenRequest": "CONFIRMED",
}


@pytest.fixture(scope="module")
async def desk(settings: Settings) -> AsyncIterator[Desk]:
    async with open_desk(settings) as opened:
        yield opened


def refused_with(answer: Answer, *codes: str) -> None:
    """A coded error of the client's, with nothing executed or nothing done."""
    assert answer.status in (200, 400), answer.body
    assert answer.code in codes, answer.body
    assert answer.errors[0]["message"]
    assert answer.errors[0]["extensions"]["requestId"]
    assert not any((answer.body.get("data") or {}).values())


def given_for(desk: Desk, mutation: str, id_: str, words: str) -> dict[str, Any]:
    more: dict[str, dict[str, Any]] = {
        "rejectRequest": {"code": "OUT_OF_SCOPE"},
        "waitRequest": {"reason": "CUSTOMER"},
        "deliverRequest": {"restoresService": True},
        "escalateRequest": {"queueId": desk.public("que", "queue3")},
        "handBackRequest": {"queueId": desk.public("que", "queue1")},
        "planRequest": {"expectedAt": "2030-01-01T00:00:00Z"},
    }
    return {"id": id_, WORDS[mutation]: words, **more.get(mutation, {})}


@pytest.mark.parametrize("mutation", WORDS)
async def test_words_nobody_can_read_or_keep_are_refused_where_they_stand(
    desk: Desk, mutation: str
) -> None:
    """S17: control characters, NUL, a megabyte."""
    request = await brought_to(desk, STATE_FOR.get(mutation, "IN_PROGRESS"), queue="queueAll")
    who = "CUSTOMER" if mutation == "rejectSolution" else "LINE1"
    before = await stored()

    for words, code in (
        ("a\x00b", "INVALID"),
        ("a\x07b", "INVALID"),
        ("a\x1bb", "INVALID"),
        ("a\x7fb", "INVALID"),
        ("a\x85b", "INVALID"),
        ("x" * 1_000_000, "TOO_LONG"),
    ):
        given = given_for(desk, mutation, request["id"], words)
        payload = await attempt(desk, who, mutation, **given)
        assert [(each["code"], each["path"]) for each in payload["userErrors"]] == [
            (code, ["input", WORDS[mutation]])
        ], words[:9]

    assert await stored() == before


@pytest.mark.parametrize(
    "words",
    [
        "🚨👨‍👩‍👧‍👦🇨🇳",
        "中文 mixed with English，标点。",
        "line one\nline two\r\n\ttabbed",
        "שלום \u2067reversed\u2069 مرحبا",
        "e\u0301 ﷽ \U0001f9d1\u200d\U0001f692\ufeff!",
        "'; drop table request; -- $1 %s {0} ${jndi:ldap://x}",
        "<script>alert(1)</script>",
        "NULL",
        "长" * 20_000,
    ],
)
async def test_words_of_any_script_are_kept_as_they_are(desk: Desk, words: str) -> None:
    """S17, R-REQ-07."""
    request = await brought_to(desk, "IN_PROGRESS")

    await do(desk, "LINE1", "respondToRequest", id=request["id"], text=words)

    assert (await timeline(desk, "CUSTOMER", request["id"]))[-1]["text"] == words.strip()


@pytest.mark.parametrize(
    ("moment", "code"),
    [
        ("2026-03-01T00:00:00Z", "DATE_IN_PAST"),
        ("0001-01-01T00:00:00Z", "BAD_INPUT"),
        ("1970-01-01T00:00:00+14:00", "DATE_IN_PAST"),
        ("0001-01-01T00:00:00+14:00", "BAD_INPUT"),
        ("0000-01-01T00:00:00Z", "BAD_INPUT"),
        ("10000-01-01T00:00:00Z", "BAD_INPUT"),
        ("2026-12-31T23:59:60Z", "BAD_INPUT"),
        ("2027-02-29T00:00:00Z", "BAD_INPUT"),
        ("2027-01-01", "BAD_INPUT"),
        ("2027-01-01T00:00:00", "BAD_INPUT"),
        ("tomorrow", "BAD_INPUT"),
        ("", "BAD_INPUT"),
        ("２０２７-01-01T00:00:00Z", "BAD_INPUT"),
        (1_800_000_000, "BAD_INPUT"),
        (None, "BAD_INPUT"),
        ({}, "BAD_INPUT"),
    ],
)
async def test_dates_past_impossible_or_none_at_all(desk: Desk, moment: Any, code: str) -> None:
    """R-REQ-05, S17."""
    request = await brought_to(desk, "IN_PROGRESS")
    before = await stored()
    given = {"id": request["id"], "summary": "更换", "expectedAt": moment}

    answer = await call(desk, "LINE1", "planRequest", **given)

    if code == "BAD_INPUT":
        refused_with(answer, code)
    else:
        errors = answer.data["planRequest"]["userErrors"]
        assert [(each["code"], each["path"]) for each in errors] == [
            (code, ["input", "expectedAt"])
        ]
    assert await stored() == before


@pytest.mark.parametrize("moment", ["9999-12-31T23:59:59Z", "2026-03-02T01:00:00.000001Z"])
async def test_a_date_may_be_far_or_near(desk: Desk, moment: str) -> None:
    """R-REQ-05: if somebody means it."""
    request = await brought_to(desk, "IN_PROGRESS")
    given = {"id": request["id"], "summary": "更换", "expectedAt": moment}

    answer = await call(desk, "LINE1", "planRequest", fields="plan { expectedAt }", **given)

    payload = answer.data["planRequest"]
    if payload["userErrors"]:  # the calendar of the database ends before the year does
        assert payload["userErrors"][0]["path"] == ["input", "expectedAt"]
    else:
        assert payload["request"] == {"plan": {"expectedAt": moment}}


@pytest.mark.parametrize(
    ("mutation", "change"),
    [
        ("acceptRequest", {"problemType": "BROKEN"}),
        ("acceptRequest", {"impact": None}),
        ("acceptRequest", {"faultLevel": 3}),
        ("acceptRequest", {"faultLevel": "critical"}),
        ("acceptRequest", {"priority": "P1"}),
        ("acceptRequest", {"expectedVersion": 2**31}),
        ("acceptRequest", {"expectedVersion": 1.5}),
        ("acceptRequest", {"expectedVersion": "1"}),
        ("acceptRequest", {"expectedVersion": True}),
        ("acceptRequest", {"id": None}),
        ("acceptRequest", {"id": {"a": 1}}),
        ("acceptRequest", {"id": True}),
        ("acceptRequest", {"clientMutationId": 5}),
        ("deliverRequest", {"restoresService": "yes"}),
        ("deliverRequest", {"solution": ["x"]}),
        ("deliverRequest", {"solution": None}),
    ],
)
async def test_values_of_the_wrong_kind_are_refused_before_anything_happens(
    desk: Desk, mutation: str, change: dict[str, Any]
) -> None:
    """R-PRI-01 (nobody types a priority), S17."""
    request = await brought_to(desk, "REGISTERED")
    given: dict[str, Any] = {"id": request["id"]}
    if mutation == "acceptRequest":
        given |= {"problemType": "FAULT", "faultLevel": "MAJOR", "impact": "GROUP"}
    else:
        given |= {"solution": "x", "restoresService": True}
    before = await stored()

    answer = await call(desk, "LINE1", mutation, **(given | change))

    refused_with(answer, "BAD_INPUT")
    assert await stored() == before


@pytest.mark.parametrize("version", [-1, 0, 2**31 - 1, -(2**31)])
async def test_a_version_that_never_was_is_stale(desk: Desk, version: int) -> None:
    """S17."""
    request = await brought_to(desk, "REGISTERED")
    given = {"id": request["id"], "reason": "x", "code": "DUPLICATE", "expectedVersion": version}

    payload = await attempt(desk, "LINE1", "rejectRequest", **given)

    assert payload["userErrors"][0]["code"] == "STALE"


NOTE = "mutation($id: ID!, $text: String!) { noteOnRequest(input: { id: $id, text: $text }) "
NOTE += "{ userErrors { code path } request { id } } }"


@pytest.mark.parametrize(
    "raw",
    [
        rb'"\ud800"',
        rb'"a\udfffb"',
        rb'"\ud800\ud800"',
        b'"\xff\xfe"',
        b'"\xed\xa0\x80"',
        b'"\xc0\x80"',
        b'"unfinished',
        b'"a\x00b"',
        b"NaN",
        b"Infinity",
        b"'single'",
    ],
)
async def test_bodies_that_are_no_json_text_are_refused_whole(desk: Desk, raw: bytes) -> None:
    """S17, S8: lone surrogates, bytes that are not UTF-8, broken JSON."""
    request = await brought_to(desk, "REGISTERED")
    before = await stored()
    body = b'{"query": %s, "variables": {"id": "%s", "text": %s}}' % (
        json.dumps(NOTE).encode(),
        request["id"].encode(),
        raw,
    )

    answer = await desk.as_("LINE1").post(body)

    assert answer.status == 400
    refused_with(answer, "BAD_BODY")
    assert await stored() == before


@pytest.mark.parametrize("text", [r"\ud800", r"a\udfff", r"\u{d800}", r"\uZZZZ", "\x00"])
async def test_lone_surrogates_in_the_document_itself_are_a_syntax_error(
    desk: Desk, text: str
) -> None:
    """S17."""
    request = await brought_to(desk, "REGISTERED")
    before = await stored()
    document = f"""mutation {{ noteOnRequest(input: {{ id: "{request["id"]}", text: "{text}" }}) {{
        userErrors {{ code }} request {{ id }} }} }}"""

    answer = await desk.as_("LINE1").run(document)

    if text == "\x00" and answer.status == 200 and not answer.errors:
        assert answer.data["noteOnRequest"]["userErrors"] == [{"code": "INVALID"}]
    else:
        refused_with(answer, "GRAPHQL_PARSE_FAILED")
    assert await stored() == before


@pytest.mark.parametrize("number", ["1e400", "9" * 400, "-0", "1.0", "0.5", str(2**63)])
async def test_numbers_no_version_can_be(desk: Desk, number: str) -> None:
    """S17: huge ones, fractions, minus nothing."""
    request = await brought_to(desk, "REGISTERED")
    before = await stored()
    document = """mutation($id: ID!, $v: Int) { startRequest(input: { id: $id,
        expectedVersion: $v }) { userErrors { code } request { id } } }"""
    body = '{"query": %s, "variables": {"id": "%s", "v": %s}}'

    answer = await desk.as_("LINE1").post(
        (body % (json.dumps(document), request["id"], number)).encode()
    )

    if answer.errors:
        refused_with(answer, "BAD_INPUT", "BAD_BODY")
    else:
        codes = [each["code"] for each in answer.data["startRequest"]["userErrors"]]
        assert codes == ["MOVE_NOT_ALLOWED" if number == "1.0" else "STALE"]
    assert await stored() == before


@pytest.mark.parametrize("id_", ["", "x", "req_", "req_" + "g" * 32, "\x00", "🚨", "a" * 100_000])
async def test_ids_that_lead_nowhere_are_null_in_queries(desk: Desk, id_: str) -> None:
    """S2, S17: alone, among others, in a filter."""
    request = await brought_to(desk, "REGISTERED")
    client = desk.as_("LINE1")

    one = await client.run("query($id: ID!) { node(id: $id) { id } }", {"id": id_})
    many = await client.run(
        "query($ids: [ID!]!) { nodes(ids: $ids) { id } }", {"ids": [request["id"], id_]}
    )
    found = await client.run(
        "query($id: ID!) { requests(filter: { customer: { eq: $id } }) { totalCount } }",
        {"id": id_},
    )

    assert one.data == {"node": None}
    assert many.data == {"nodes": [{"id": request["id"]}, None]}
    if found.errors:
        refused_with(found, "BAD_INPUT", "GRAPHQL_VALIDATION_FAILED", "NOT_FOUND")
    else:
        assert found.data == {"requests": {"totalCount": 0}}


async def test_every_verb_refuses_every_kind_of_wrong_id_alike(desk: Desk) -> None:
    """S2, S17."""
    before = await stored()

    for mutation in set(MUTATIONS.values()) & WORDS.keys():
        seen = set()
        for id_ in ("req_" + "0" * 32, "", "\x00", "req_\ufffd", desk.public("org", "Acme")):
            given = given_for(desk, mutation, id_, "x")
            answer = await call(desk, "LINE1", mutation, **given)
            errors = answer.data.get(mutation) if not answer.errors else answer.errors[0]["path"]
            seen.add(json.dumps(errors))
        assert len(seen) == 1, seen

    assert await stored() == before
