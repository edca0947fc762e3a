// Runs the dashboard's page of docs/sign-in.md as a browser does: node's fetch, a stand-in for the rest.
import { pathToFileURL } from "node:url";

const kept = new Map(), elements = {};
let left;
globalThis.sessionStorage = {
  getItem: (name) => kept.get(name) ?? null,
  setItem: (name, value) => kept.set(name, value),
  removeItem: (name) => kept.delete(name),
};
globalThis.document = { getElementById: (id) => (elements[id] ??= {}) };
globalThis.history = { replaceState: () => {} };

let loads = 0;
async function load(address) {
  const url = new URL(address);
  globalThis.location = { origin: url.origin, pathname: url.pathname, search: url.search, assign: (to) => (left = to) };
  return import(`${pathToFileURL(process.argv[2])}?${loads++}`);
}

const cookies = new Map();
async function go(url, form) {
  for (;;) {
    const answer = await fetch(url, {
      method: form ? "POST" : "GET",
      body: form && new URLSearchParams(form),
      headers: { cookie: [...cookies].map((pair) => pair.join("=")).join("; ") },
      redirect: "manual",
    });
    for (const line of answer.headers.getSetCookie()) cookies.set(...line.split(";")[0].split("="));
    const text = await answer.text(), next = answer.headers.get("location");
    if (!next) return { url, token: text.match(/name="form_token" value="(\w+)"/)[1] };
    url = new URL(next, url).href;
    form = undefined;
    if (url.startsWith(process.env.ITR_CALLBACK)) return { url };
  }
}

await load(process.env.ITR_CALLBACK);
await elements.in.onclick();
let page = await go(left);
page = await go(page.url, { form_token: page.token, intent: "sign-in", email: process.env.ITR_EMAIL, password: process.env.ITR_PASSWORD });
page = await go(page.url, { form_token: page.token, intent: "allow" });
const { ask } = await load(page.url);
const signedIn = JSON.parse(elements.said.textContent);

const first = JSON.parse(kept.get("tokens"));
kept.set("tokens", JSON.stringify({ ...first, until: Date.now() }));
const [renewed] = await Promise.all([ask("{ viewer { actor { name } } }"), ask("{ viewer { roles } }")]);
const second = JSON.parse(kept.get("tokens"));
await elements.out.onclick();

console.log(JSON.stringify({
  signedIn,
  renewed,
  tokensDiffer: first.access_token !== second.access_token && first.refresh_token !== second.refresh_token,
  left: kept.get("tokens") ?? null,
}));
