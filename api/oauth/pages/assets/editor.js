// The editor: what it asks carries the token, over HTTP and WebSocket alike.
"use strict";
// What GraphiQL's dialogs look up before they add a style of their own (content security policy).
window.__webpack_nonce__ = document.currentScript.nonce;

const welcome = `# 每个字段的说明在左边。
# On the left is what every field means.
#
# Ctrl-Enter  运行 run
# Ctrl-Space  补全 complete

{
  viewer {
    actor { name }
    roles
  }
}
`;

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

// GraphiQL's own reading of the document lags behind what was just pasted: HTTP or WebSocket is decided anew.
function fetcher(asked, options) {
  try {
    return carried(asked, { ...options, documentAST: GraphiQL.GraphQL.parse(asked.query) });
  } catch {
    return carried(asked, options);
  }
}

document.getElementById("sign-out").addEventListener("submit", signOut);
ReactDOM.createRoot(document.getElementById("graphiql")).render(
  React.createElement(GraphiQL, {
    fetcher,
    plugins: [GraphiQLPluginExplorer.explorerPlugin()],
    defaultQuery: welcome,
    defaultEditorToolsVisibility: "variables",
    inputValueDeprecation: true,
    isHeadersEditorEnabled: false,
  }),
);
greet();
