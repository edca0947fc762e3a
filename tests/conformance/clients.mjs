// What a program written with graphql-ws or graphql-sse sees of the server: each check and its outcome, as JSON.
import assert from "node:assert/strict";
import { createClient as createSse } from "graphql-sse";
import { createClient as createWs } from "graphql-ws";
import WebSocket from "ws";

const { ITR_URL: url, ITR_TOKEN: token, ITR_CUSTOMER_TOKEN: customerToken } = process.env;
const transport = process.argv[2];

const EVENTS = `subscription Events($after: String) {
  requestEvents(after: $after) {
    __typename
    ... on RequestSnapshot { cursor requests { id version } }
    ... on RequestChanged { cursor version request { id version } events { type } }
    ... on RequestRemoved { cursor requestId }
    ... on RequestResync { cursor }
  }
}`;
const SUBMIT = `mutation Submit($input: SubmitRequestInput!) {
  submitRequest(input: $input) { request { id version } userErrors { path code } }
}`;
const NOTE = `mutation Note($input: NoteOnRequestInput!) {
  noteOnRequest(input: $input) { request { id version } userErrors { path code } }
}`;

const connect = {
  ws: (bearer, options = {}) =>
    createWs({
      url: `ws://${url}/graphql`,
      webSocketImpl: WebSocket,
      connectionParams: { Authorization: `Bearer ${bearer}` },
      retryWait: () => Promise.resolve(),
      shouldRetry: () => true,
      ...options,
    }),
  sse: (bearer, options = {}) =>
    createSse({
      url: `http://${url}/graphql`,
      singleConnection: false,
      headers: { authorization: `Bearer ${bearer}` },
      retryAttempts: 0,
      ...options,
    }),
}[transport];

const client = connect(token);

/** The first result; what a client is told as a rejection is a result with errors too. */
async function ask(query, variables, asking = client) {
  const results = asking.iterate({ query, variables });
  try {
    return (await results.next()).value;
  } catch (said) {
    if (Array.isArray(said)) return { errors: said };
    throw said;
  } finally {
    await results.return?.();
  }
}

async function submit(title) {
  const input = { kind: "TECHNICAL", title, description: "-", productUnknown: true };
  const { data } = await ask(SUBMIT, { input }, customer);
  assert.deepEqual(data.submitRequest.userErrors, []);
  return data.submitRequest.request;
}

async function note(id) {
  const { data } = await ask(NOTE, { input: { id, text: "…" } });
  assert.deepEqual(data.noteOnRequest.userErrors, []);
  return data.noteOnRequest.request;
}

const follow = (after, following = client) =>
  following.iterate({ query: EVENTS, variables: { after } });

async function next(feed) {
  const { value } = await feed.next();
  assert.equal(value.errors, undefined);
  return value.data.requestEvents;
}

const code = (result) => result.errors.map((error) => error.extensions.code);
const customer = connect(customerToken);

const CHECKS = {
  "a query is answered": async () => {
    const { data } = await ask("{ viewer { actor { name } } }");
    assert.equal(data.viewer.actor.name, "LINE1");
  },

  "a mutation is answered": async () => {
    const { id, version } = await submit("through the client");
    assert.match(id, /^req_/);
    assert.equal(version, 1);
  },

  "operations at once get their own answers": async () => {
    const lengths = [1, 2, 3, 4, 5, 6, 7, 8];
    const answers = await Promise.all(
      lengths.map((length) =>
        ask(
          `query ($calendar: WorkingCalendarInput!, $start: DateTime!, $duration: Duration!) {
            workingTime(calendar: $calendar, start: $start, duration: $duration) { at } }`,
          {
            calendar: { timeZone: "Asia/Shanghai", shifts: [], alwaysOpen: true },
            start: "2026-03-02T00:00:00Z",
            duration: `PT${length}H`,
          },
        ),
      ),
    );
    const hours = answers.map(({ data }) => new Date(data.workingTime.at).getUTCHours());
    assert.deepEqual(hours, lengths);
  },

  "a document that does not fit the schema is an error with a code": async () => {
    assert.deepEqual(code(await ask("{ nothing }")), ["GRAPHQL_VALIDATION_FAILED"]);
  },

  "a broken document is an error with a code": async () => {
    assert.deepEqual(code(await ask("{")), ["GRAPHQL_PARSE_FAILED"]);
  },

  "an error of a field comes with its path beside the data": async () => {
    const start = `mutation { startRequest(input: { id: "req_x" }) { request { id } } }`;
    const result = await ask(start, {}, customer);
    assert.deepEqual(result.data, { startRequest: null });
    assert.deepEqual(code(result), ["FORBIDDEN"]);
    assert.deepEqual(result.errors[0].path, ["startRequest"]);
  },

  "a wrong variable is an error with a code": async () => {
    const result = await ask("query ($id: ID!) { node(id: $id) { id } }", {});
    assert.deepEqual(code(result), ["BAD_INPUT"]);
  },

  "a subscription begins with a snapshot and goes on with changes": async () => {
    const feed = follow(null);
    const snapshot = await next(feed);
    assert.equal(snapshot.__typename, "RequestSnapshot");
    const { id } = await submit("watched");
    const changed = await next(feed);
    assert.equal(changed.__typename, "RequestChanged");
    assert.equal(changed.request.id, id);
    await feed.return();
  },

  "a client that comes back with its cursor misses nothing and gets nothing twice": async () => {
    const { id } = await submit("resumed");
    const before = follow(null);
    const { cursor } = await next(before);
    await before.return();
    const missed = [(await note(id)).version, (await note(id)).version];
    const other = await submit("while away");

    const feed = follow(cursor);
    const heard = [];
    while (heard.at(-1)?.request.id !== other.id) heard.push(await next(feed));
    const again = await note(id);
    heard.push(await next(feed));
    await feed.return();

    assert.ok(heard.every((message) => message.__typename === "RequestChanged"));
    const versions = heard.filter((one) => one.request.id === id).map((one) => one.version);
    assert.deepEqual(versions, [...new Set(versions)].sort((a, b) => a - b));
    assert.equal(versions.includes(missed[1]), true);
    assert.equal(versions.at(-1), again.version);
  },

  "a cursor nobody gave out is refused": async () => {
    const feed = follow("forged");
    const said = await feed.next().then(({ value }) => value, (errors) => ({ errors }));
    assert.deepEqual(code(said), ["BAD_CURSOR"]);
  },

  ...(transport === "ws" && {
    "a socket that breaks is opened again and the feed goes on": async () => {
      const broken = connect(token, { retryAttempts: 3 });
      const payload = { query: EVENTS, variables: { after: null } };
      const heard = [];
      let tell;
      const stop = broken.subscribe(payload, {
        next: ({ data }) => {
          heard.push(data.requestEvents);
          payload.variables.after = data.requestEvents.cursor;
          tell?.();
        },
        error: (error) => heard.push(error),
        complete: () => {},
      });
      const message = () => new Promise((resolve) => (tell = resolve));
      if (!heard.length) await message();
      broken.terminate();
      const { id } = await submit("while broken");
      while (heard.at(-1).request?.id !== id) await message();
      stop();
      const kinds = heard.map((one) => one.__typename);
      assert.deepEqual(kinds, ["RequestSnapshot", "RequestChanged"]);
      await broken.dispose();
    },

    "a bad token is told by a close code for good": async () => {
      const closed = await ask("{ __typename }", {}, connect("nonsense")).catch((event) => event);
      assert.equal(closed.code, 4403);
    },

    "the socket answers pings and pings itself within its keep-alive": async () => {
      let pongs = 0;
      const alive = connect(token, {
        keepAlive: 50,
        lazy: false,
        on: { pong: (received) => (pongs += received ? 1 : 0) },
      });
      while (pongs < 2) await new Promise((resolve) => setTimeout(resolve, 20));
      await alive.dispose();
    },
  }),

  ...(transport === "sse" && {
    "a bad token is told by 401": async () => {
      const refused = await ask("{ __typename }", {}, connect("nonsense")).catch((error) => error);
      assert.equal(refused.response.status, 401);
    },
  }),
};

const outcomes = {};
for (const [name, check] of Object.entries(CHECKS)) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error("no answer in 20 s")), 20_000);
  });
  outcomes[name] = await Promise.race([check(), late]).then(
    () => "ok",
    (error) => String(error?.stack ?? JSON.stringify(error)),
  );
  clearTimeout(timer);
}
console.log(JSON.stringify(outcomes));
process.exit(0);
