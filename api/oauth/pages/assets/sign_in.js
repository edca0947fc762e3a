// Signs GraphiQL in by the code flow with PKCE: leaves with a challenge, comes back with a code.
"use strict";
const text = (bytes) => btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const random = (length) => text(crypto.getRandomValues(new Uint8Array(length)));
const element = (id) => document.getElementById(id);

async function leave() {
  const server = await (await fetch("/.well-known/oauth-authorization-server")).json();
  const home = server.issuer.replace(/\/$/, "");
  if (new URL(home).origin !== location.origin) return location.assign(`${home}/graphql`);
  const left = { verifier: random(48), state: random(16), issuer: server.issuer, back: `${home}/graphql/signed-in` };
  desk.kept.itrSignIn = JSON.stringify(left);
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(left.verifier));
  location.assign(`${server.authorization_endpoint}?${new URLSearchParams({
    response_type: "code", client_id: desk.client, redirect_uri: left.back, scope: "itr", state: left.state,
    code_challenge: text(new Uint8Array(hash)), code_challenge_method: "S256" })}`);
}

async function comeBack(given) {
  const left = JSON.parse(desk.kept.itrSignIn ?? "{}");
  delete desk.kept.itrSignIn;
  history.replaceState(null, "", "/graphql/sign-in");
  if (given.has("error")) throw new Error(given.get("error"));
  if (!left.state || given.get("state") !== left.state || given.get("iss") !== left.issuer) throw new Error("state");
  await desk.redeem({ grant_type: "authorization_code", code: given.get("code"),
    redirect_uri: left.back, code_verifier: left.verifier });
  location.replace("/graphql");
}

function failed(error) {
  element("why").textContent = error.message;
  element("failed").hidden = false;
}

element("in").addEventListener("click", () => leave().catch(failed));
element("with-token").addEventListener("submit", (event) => {
  event.preventDefault();
  desk.forget();
  desk.kept.itrToken = element("token").value.trim();
  location.replace("/graphql");
});
const given = new URLSearchParams(location.search);
element("ended").hidden = !given.has("ended");
if (location.pathname === "/graphql/signed-in") comeBack(given).catch(failed);
