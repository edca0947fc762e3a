// The editor: what it asks carries the token, over HTTP and WebSocket alike.
"use strict";
// What GraphiQL's dialogs look up before they add a style of their own (content security policy).
window.__webpack_nonce__ = document.currentScript.nonce;

const hint = `# 每个字段的说明在左边 / on the left is what every field means
# Ctrl-Enter 运行 run · Ctrl-Space 补全 complete
`;

const queue = `${hint}
# 队列：最紧的时限在前 / a queue, the tightest deadline first
query Queue($statuses: [RequestStatus!], $order: [RequestOrder!]) {
  requests(first: 20, filter: { status: { in: $statuses } }, orderBy: $order) {
    totalCount
    nodes {
      id
      number
      title
      status
      priority
      assignee { name }
      clocks { thread state deadline remaining }
      viewerCan
    }
  }
}
`;

const reply = `${hint}
# 变更：回复客户；id 取自第一个标签页 / a mutation: reply to the customer; the id is from the first tab
mutation Reply($id: ID!) {
  respondToRequest(input: { id: $id, text: "已收到，正在处理。" }) {
    request { number status clocks { thread state } }
    userErrors { path code message }
  }
}
`;

const countdown = `${hint}
# 倒计时：时钟一变就推送 / a countdown: pushed whenever the clock changes
subscription Countdown($id: ID!) {
  slaCountdown(requestId: $id) { thread state deadline remaining counting serverTime }
}
`;

// Lists are variables: the explorer beside the editor cannot show a list that is written out, and puts an
// error on the console for each.
const open = {
  statuses: ["REGISTERED", "AUTHORISED", "DISPATCHED", "IN_PROGRESS", "WAITING", "RESTORED"],
  order: [{ field: "DEADLINE", direction: "ASC" }],
};
const about = { id: "req_…" };
const firstTabs = [[queue, open], [reply, about], [countdown, about]].map(([query, variables]) => ({
  query,
  variables: JSON.stringify(variables, null, 2),
}));

async function send(url, options) {
  const headers = { ...options.headers, ...(await desk.authorization()) };
  const answer = await fetch(url, { ...options, headers });
  if (answer.status === 401) desk.ended();
  return answer;
}

async function greet() {
  const body = JSON.stringify({ query: "{ viewer { actor { name } } }" });
  const headers = { "Content-Type": "application/json" };
  const { data } = await (await send("/graphql", { method: "POST", headers, body })).json();
  document.getElementById("who").textContent = data?.viewer?.actor?.name ?? "";
}

async function signOut(event) {
  event.preventDefault();
  const token = desk.kept.itrRefreshToken || desk.kept.itrToken;
  desk.forget();
  const body = new URLSearchParams({ client_id: desk.client, token });
  await fetch("/oauth/revoke", { method: "POST", body }).catch(() => {});
  event.target.submit();
}

const socket = graphqlWs.createClient({
  url: location.origin.replace(/^http/, "ws") + "/graphql",
  connectionParams: desk.authorization,
  lazyCloseTimeout: 1000,
});
socket.on("closed", (event) => { if (event.code === 4401) desk.ended(); });
const carried = GraphiQL.createFetcher({ url: "/graphql", fetch: send, wsClient: socket });

// GraphiQL's own reading of the document lags behind what was just pasted or which tab was just opened: an
// operation that is not there any more is not asked for, but the first that is; HTTP or WebSocket goes by it.
function fetcher(asked, options) {
  try {
    const documentAST = GraphiQL.GraphQL.parse(asked.query);
    const names = documentAST.definitions.filter((each) => each.operation).map((each) => each.name?.value);
    const operationName = names.includes(asked.operationName) ? asked.operationName : names[0];
    return carried({ ...asked, operationName }, { ...options, documentAST });
  } catch {
    return carried(asked, options);
  }
}

document.getElementById("sign-out").addEventListener("submit", signOut);
ReactDOM.createRoot(document.getElementById("graphiql")).render(
  React.createElement(GraphiQL, {
    fetcher,
    plugins: [GraphiQLPluginExplorer.explorerPlugin()],
    defaultQuery: hint,
    defaultTabs: firstTabs,
    defaultEditorToolsVisibility: "variables",
    inputValueDeprecation: true,
    isHeadersEditorEnabled: false,
  }),
);
greet();
