"""GraphQL over HTTP: conformance, refusals, limits, errors."""

import asyncio
import re
import time
from collections.abc import AsyncIterator

import httpx
import pytest

from api.transport.limits import Limits
from itr.settings import Settings
from tests.api.throwaway import SECRET, Counted, Desk, eventually, running
from tests.support.client import GRAPHQL_JSON, Client, in_process, served


@pytest.fixture(scope="module")
def desk(settings: Settings) -> Desk:
    return Desk(settings)


@pytest.fixture(scope="module")
async def client(desk: Desk) -> AsyncIterator[Client]:
    async with in_process(desk.app()) as anybody:
        yield anybody.having(desk.token())


async def test_a_query_is_answered(client: Client) -> None:
    answer = await client.run("{ hello me }")

    assert answer.status == 200
    assert answer.data == {"hello": "hello", "me": "Li"}
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert answer.headers["x-request-id"]


@pytest.mark.parametrize("token", [None, "", "nonsense", "a.b.c"])
async def test_without_a_good_token_the_answer_is_401_whatever_the_query(
    client: Client, token: str | None
) -> None:
    for body in (b'{"query":"{ hello }"}', b"broken", b'{"query":"{"}'):
        answer = await client.having(token).post(body)

        assert answer.status == 401
        assert answer.code == "UNAUTHENTICATED"
        assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        ("application/json", "application/json"),
        ("*/*", "application/json"),
        (GRAPHQL_JSON, GRAPHQL_JSON),
        (f"{GRAPHQL_JSON}, application/json;q=0.9", GRAPHQL_JSON),
        (f"application/json, {GRAPHQL_JSON}", "application/json"),
        (f"{GRAPHQL_JSON};q=0.1, application/json;q=0.9", "application/json"),
    ],
)
async def test_the_answer_has_the_media_type_asked_for(
    client: Client, accept: str, media: str
) -> None:
    answer = await client.run("{ hello }", accept=accept)

    assert answer.headers["content-type"] == f"{media}; charset=utf-8"


async def test_nothing_acceptable_is_406(client: Client) -> None:
    assert (await client.run("{ hello }", accept="image/png")).status == 406


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("query ($n: Int!) { items(first: $n) { nodes { name } } }", "BAD_INPUT"),
        ("query A { hello } query B { hello }", "UNKNOWN_OPERATION"),
    ],
)
async def test_request_errors_have_no_data_and_a_status_by_media_type(
    client: Client, query: str, code: str
) -> None:
    plain = await client.run(query, accept="application/json")
    modern = await client.run(query, accept=GRAPHQL_JSON)

    assert (plain.status, modern.status) == (200, 400)
    for answer in (plain, modern):
        assert answer.code == code
        assert "data" not in answer.body
        assert answer.errors[0]["extensions"]["requestId"]


async def test_a_field_error_leaves_data_and_200(client: Client) -> None:
    answer = await client.run("{ hello missing }", accept=GRAPHQL_JSON)

    assert answer.status == 200
    assert answer.body["data"] == {"hello": "hello", "missing": None}
    assert answer.code == "NOT_FOUND"
    assert answer.errors[0]["path"] == ["missing"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"5",
        b"null",
        b"[]",
        b'"{ hello }"',
        b"{",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"query":"\\ud800"}',
        b'{"query":5}',
        b'{"query":null}',
        b'{"query":""}',
        b"{}",
        b'{"query":"{hello}","variables":5}',
        b'{"query":"{hello}","variables":[]}',
        b'{"query":"{hello}","extensions":"x"}',
        b'{"query":"{hello}","operationName":5}',
        b'[{"query":"{hello}"}]',
    ],
)
async def test_broken_bodies_are_400_with_a_code(client: Client, body: bytes) -> None:
    answer = await client.post(body)

    assert answer.status == 400
    assert answer.code in {"BAD_BODY", "MISSING_QUERY"}


async def test_a_body_over_the_limit_is_413(client: Client) -> None:
    answer = await client.post(b'{"query":"' + b" " * Limits().body_bytes + b'{hello}"}')

    assert answer.status == 413
    assert answer.code == "BODY_TOO_LARGE"


@pytest.mark.parametrize(
    "media",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/jsonfoo",
        "application/json; charset=gbk",
        "application/graphql",
        None,
    ],
)
async def test_other_media_types_are_415(client: Client, media: str | None) -> None:
    """S6."""
    answer = await client.post(b'{"query":"{hello}"}', media=media)

    assert answer.status == 415


async def test_get_asks_but_never_changes(client: Client) -> None:
    """S6."""
    before = Counted.calls

    asked = await client.get(query="{ hello }")
    changed = await client.get(query='mutation { add(text: "x") }')

    assert asked.data == {"hello": "hello"}
    assert changed.status == 405
    assert Counted.calls == before


async def test_variables_of_a_get_must_be_json(client: Client) -> None:
    assert (await client.get(query="{ hello }", variables="{")).status == 400
    assert (await client.get(query="{ hello }", variables="{}")).status == 200


async def test_other_methods_are_405(client: Client) -> None:
    response = await client.http.put("/graphql", content=b"{}")

    assert response.status_code == 405


async def test_subscriptions_need_a_stream(client: Client) -> None:
    assert (await client.run("subscription { count(to: 1) }")).code == "OPERATION_NOT_SUPPORTED"


@pytest.mark.parametrize("query", ["{ fails }", "{ failsHard }", "{ colour }"])
@pytest.mark.parametrize("accept", ["application/json", GRAPHQL_JSON])
async def test_a_planted_secret_appears_in_no_byte(client: Client, query: str, accept: str) -> None:
    """S7."""
    answer = await client.run(query, accept=accept)

    assert answer.code == "INTERNAL"
    assert SECRET.encode() not in answer.content


async def test_nothing_is_suggested(client: Client) -> None:
    """S7."""
    answers = [
        await client.run("{ helo }"),
        await client.run("{ items(frist: 1) { nodes { name } } }"),
        await client.run("{ later(at: WRONG) }"),
        await client.run("query ($c: Colr) { hello }"),
    ]

    for answer in answers:
        assert answer.errors
        assert b"Did you mean" not in answer.content


async def test_messages_are_in_the_readers_language(client: Client) -> None:
    chinese = await client.run("{ missing }")
    english = await client.run("{ missing }", accept_language="fr, en-GB;q=0.8, zh;q=0.1")

    assert chinese.errors[0]["message"] == "找不到该对象。"
    assert english.errors[0]["message"] == "There is no such object."


@pytest.mark.parametrize("text", ["\x00", "a\x00b"])
async def test_characters_the_database_cannot_hold_are_bad_input(client: Client, text: str) -> None:
    answer = await client.run(
        "query ($t: String!) { echo(text: $t) }", {"t": text}, accept_language="en"
    )

    assert answer.status == 200
    assert answer.code == "BAD_INPUT"
    assert answer.errors[0]["path"] == ["echo"]


async def test_a_value_of_the_wrong_form_is_bad_input_not_a_fault(client: Client) -> None:
    assert (await client.run('{ number(text: "many") }')).code == "BAD_INPUT"


@pytest.mark.parametrize("text", ["字" * 300_000, "😀", "混合 mixed", "\u202e"])
async def test_any_other_text_comes_back_as_it_was(client: Client, text: str) -> None:
    answer = await client.run("query ($t: String!) { echo(text: $t) }", {"t": text})

    assert answer.data == {"echo": text}


async def test_doubled_fragments_are_refused_before_they_cost_anything(client: Client) -> None:
    """S5."""
    doubled = " ".join(
        f"fragment F{one} on Query {{ ...F{one + 1} ...F{one + 1} }}" for one in range(30)
    )
    took = []
    for attempt in range(5):
        query = f"{{ ...F0 a{attempt}: hello }} {doubled} fragment F30 on Query {{ hello }}"
        begun = time.process_time()
        answer = await client.run(query)
        took.append(time.process_time() - begun)
        assert answer.code == "TOO_COMPLEX"

    assert min(took) < 0.02


async def test_pages_multiply(client: Client) -> None:
    """S5."""
    before = Counted.calls
    deep = "{ items(first: 100) { nodes { children(first: 100) { nodes { children(first: $n) "
    query = f"query ($n: Int) {deep}{{ nodes {{ name }} }} }} }} }} }} }}"

    answer = await client.run(query, {"n": 100})

    assert answer.code == "TOO_COMPLEX"
    assert Counted.calls == before
    assert (await client.run(query, {"n": 1})).data


async def test_a_hundred_aliases_of_a_mutation_are_refused(client: Client) -> None:
    """S5."""
    before = Counted.calls
    answer = await client.run(
        "mutation {" + " ".join(f'm{one}: add(text: "x")' for one in range(100)) + "}"
    )

    assert answer.code == "TOO_COMPLEX"
    assert Counted.calls == before


@pytest.mark.parametrize(
    "query",
    [
        "{ hello " * 500,
        "{ " + "hello " * 4_000 + "}",
        "{ items { nodes " + "{ children { nodes " * 30 + "{ name }" + "}}" * 30 + "}}",
        "query (" + " ".join(f"$v{one}: Int" for one in range(3_000)) + ") { hello }",
    ],
)
async def test_huge_documents_are_refused_quickly(client: Client, query: str) -> None:
    """S5."""
    begun = time.process_time()
    answer = await client.run(query)

    assert answer.code in {"TOO_COMPLEX", "GRAPHQL_PARSE_FAILED"}
    assert time.process_time() - begun < 0.5


async def test_introspection_fits_the_limits(client: Client) -> None:
    from graphql import build_client_schema, get_introspection_query

    answer = await client.run(get_introspection_query(input_value_deprecation=True))

    assert build_client_schema(answer.data).query_type


async def test_defer_is_off(client: Client) -> None:
    answer = await client.run("{ ... @defer { hello } }")

    assert answer.code == "GRAPHQL_VALIDATION_FAILED"


async def test_an_operation_over_its_time_has_its_sql_cancelled(settings: Settings) -> None:
    """S11."""
    desk = Desk(settings, Limits(operation_seconds=0.3))
    async with in_process(desk.app()) as anybody:
        answer = await anybody.having(desk.token()).run('{ slow(seconds: 20, tag: "overtime") }')

        assert answer.code == "TIMEOUT"
        assert await running(settings, "overtime") == 0


async def test_a_client_that_leaves_has_its_sql_cancelled(settings: Settings, desk: Desk) -> None:
    """S11."""
    async with served(desk.app(), settings) as server:
        client = server.client.having(desk.token())
        asking = asyncio.create_task(client.run('{ slow(seconds: 20, tag: "leaver") }'))
        await eventually(lambda: running(settings, "leaver"), 1)

        asking.cancel()

        await eventually(lambda: running(settings, "leaver"), 0)


async def test_a_browser_gets_graphiql_and_all_it_needs_from_here(client: Client) -> None:
    response = await client.http.get("/graphql", headers={"accept": "text/html,*/*;q=0.8"})

    assert response.status_code == 200
    needed = re.findall(r' (?:src|href)="([^"]+)"', response.text)
    assert len(needed) > 10
    for address in needed:
        assert address.startswith("/")
        assert (await client.http.get(address)).status_code == 200


async def test_what_graphiql_needs_comes_packed_or_plain(client: Client) -> None:
    address = "/graphql/assets/graphiql.js"
    packed = await client.http.get(address)
    plain = await client.http.get(address, headers={"accept-encoding": "identity"})

    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.content == plain.content
    assert (await client.http.get("/graphql/assets/nothing.js")).status_code == 404


async def test_graphiql_is_framed_and_scripted_by_nobody_else(client: Client) -> None:
    """It keeps tokens: no page may frame it, no script but its own may run or send them away."""
    page = await client.http.get("/graphql", headers={"accept": "text/html"})

    policy = dict(part.split(" ", 1) for part in _policy(page).split("; "))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert policy["connect-src"] == policy["script-src"] == "'self'"
    assert re.fullmatch(r"'self' 'nonce-[\w-]{22}'", policy["style-src"])
    assert "<script>" not in page.text
    assert page.headers["x-frame-options"] == "DENY"
    assert page.headers["cache-control"] == "no-store"


def _policy(page: httpx.Response) -> str:
    found: str = page.headers["content-security-policy"]
    return found


async def test_health_and_schema_are_public(client: Client) -> None:
    anybody = client.having(None)

    assert (await anybody.get("/healthz")).body == {"status": "ok"}
    ready = await anybody.get("/readyz")
    assert ready.status == 200
    assert ready.body == {
        "status": "ok",
        "database": "ok",
        "migrations": "ok",
        "valkey": "ok",
        "feed": "ok",
    }
    schema = await anybody.get("/schema.graphql")
    assert b"type Query" in schema.content


async def test_without_valkey_it_is_degraded_not_failed(settings: Settings, desk: Desk) -> None:
    lonely = settings.model_copy(update={"valkey_url": "valkey://127.0.0.1:1/0"})
    async with in_process(Desk(lonely).app()) as anybody:
        ready = await anybody.get("/readyz")

        assert ready.status == 200
        assert ready.body["status"] == "degraded"
        assert ready.body["valkey"] == "failed"


async def test_a_decent_request_id_of_a_proxy_is_kept(client: Client) -> None:
    kept = await client.run("{ missing }", x_request_id="proxy-0001-abcd")
    made = await client.run("{ missing }", x_request_id="bad id\x7f!")

    assert kept.errors[0]["extensions"]["requestId"] == "proxy-0001-abcd"
    assert "bad" not in made.headers["x-request-id"]
