// Completes every OAuth flow with openid-client, and answers as JSON what became of each.
import * as oauth from "openid-client";

const given = JSON.parse(process.env.ITR_OAUTH);
const outcomes = {};

async function check(name, work) {
  try {
    await work();
    outcomes[name] = "ok";
  } catch (error) {
    outcomes[name] = `${error.name}: ${error.message} ${error.code ?? ""} ${error.cause?.message ?? ""}`;
  }
}

function expect(seen, wanted) {
  if (JSON.stringify(seen) !== JSON.stringify(wanted))
    throw new Error(`${JSON.stringify(seen)} instead of ${JSON.stringify(wanted)}`);
}

async function discovered(name, algorithm = "oidc") {
  const { clientId, secret } = given.clients[name];
  const authentication = secret ? oauth.ClientSecretBasic(secret) : oauth.None();
  return oauth.discovery(new URL(given.issuer), clientId, undefined, authentication, {
    algorithm,
    execute: [oauth.allowInsecureRequests],
  });
}

class Browser {
  cookies = new Map();
  async go(url, form) {
    for (;;) {
      const answer = await fetch(url, {
        method: form ? "POST" : "GET",
        body: form && new URLSearchParams(form),
        headers: { cookie: [...this.cookies].map((pair) => pair.join("=")).join("; ") },
        redirect: "manual",
      });
      for (const line of answer.headers.getSetCookie()) {
        const [name, value] = line.split(";")[0].split("=");
        this.cookies.set(name, value);
      }
      this.text = await answer.text();
      const next = answer.headers.get("location");
      if (!next) return (this.url = url);
      url = new URL(next, url).href;
      form = undefined;
      if (!url.startsWith(given.issuer)) return url;
    }
  }
  send(typed, url = this.url) {
    const token = this.text.match(/name="form_token" value="(\w+)"/)[1];
    return this.go(url, { ...typed, form_token: token });
  }
  signIn(email) {
    return this.send({ email, password: given.password, intent: "sign-in" });
  }
}

async function signedIn(config, scope, parameters = {}) {
  const verifier = oauth.randomPKCECodeVerifier(), state = oauth.randomState(), nonce = oauth.randomNonce();
  const url = oauth.buildAuthorizationUrl(config, {
    redirect_uri: given.callback,
    scope,
    state,
    nonce,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    prompt: "consent",
    ...parameters,
  });
  const browser = new Browser();
  await browser.go(url.href);
  await browser.signIn(given.person);
  const back = await browser.send({ intent: "allow" });
  const checks = { pkceCodeVerifier: verifier, expectedState: state };
  if (scope.includes("openid")) Object.assign(checks, { expectedNonce: nonce, idTokenExpected: true });
  return oauth.authorizationCodeGrant(config, new URL(back), checks);
}

async function viewer(token) {
  const answer = await fetch(`${given.issuer}/graphql`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({ query: "{ viewer { actor { id name } } }" }),
  });
  return answer.status === 200 ? (await answer.json()).data.viewer.actor : answer.status;
}

for (const name of ["dashboard", "web"]) {
  await check(`${name}: code with PKCE, ID token, user info`, async () => {
    const config = await discovered(name);
    const tokens = await signedIn(config, "openid profile email itr", { max_age: "600" });
    const said = tokens.claims();
    const actor = await viewer(tokens.access_token);
    expect(said.sub, actor.id);
    expect((await oauth.fetchUserInfo(config, tokens.access_token, said.sub)).name, actor.name);
  });
}

await check("dashboard: discovery by RFC 8414 alone", async () => {
  const config = await discovered("dashboard", "oauth2");
  expect(config.serverMetadata().supportsPKCE(), true);
});

await check("dashboard: refresh rotates, reuse is refused", async () => {
  const config = await discovered("dashboard");
  const first = await signedIn(config, "itr");
  const second = await oauth.refreshTokenGrant(config, first.refresh_token);
  expect((await viewer(second.access_token)).name, "LINE1");
  const refused = await oauth.refreshTokenGrant(config, first.refresh_token).catch((error) => error.error);
  expect(refused, "invalid_grant");
});

await check("dashboard: a denial comes back as one", async () => {
  const config = await discovered("dashboard");
  const state = oauth.randomState(), verifier = oauth.randomPKCECodeVerifier();
  const browser = new Browser();
  await browser.go(oauth.buildAuthorizationUrl(config, {
    redirect_uri: given.callback, scope: "itr", state,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: "S256", prompt: "consent",
  }).href);
  await browser.signIn(given.person);
  const back = await browser.send({ intent: "deny" });
  const told = await oauth.authorizationCodeGrant(config, new URL(back), { pkceCodeVerifier: verifier, expectedState: state })
    .catch((error) => error.error);
  expect(told, "access_denied");
});

await check("machine: client credentials", async () => {
  const config = await discovered("machine");
  const tokens = await oauth.clientCredentialsGrant(config, { scope: "itr:read" });
  expect(tokens.scope, "itr:read");
  expect((await viewer(tokens.access_token)).name, "PARTNER");
});

await check("wallboard: device code, polled as told, refreshed", async () => {
  const config = await discovered("wallboard");
  const device = await oauth.initiateDeviceAuthorization(config, { scope: "itr:board" });
  const browser = new Browser();
  await browser.go(device.verification_uri_complete);
  await browser.signIn(given.approver);
  await browser.send({ user_code: device.user_code, intent: "look" }, device.verification_uri);
  await browser.send({ user_code: device.user_code, intent: "allow" }, device.verification_uri);
  const tokens = await oauth.pollDeviceAuthorizationGrant(config, { ...device, interval: 1 });
  const renewed = await oauth.refreshTokenGrant(config, tokens.refresh_token);
  expect(renewed.scope, "itr:board");
});

await check("web: introspection and revocation", async () => {
  const config = await discovered("web");
  const tokens = await signedIn(config, "itr");
  expect((await oauth.tokenIntrospection(config, tokens.access_token)).active, true);
  await oauth.tokenRevocation(config, tokens.refresh_token);
  expect((await oauth.tokenIntrospection(config, tokens.access_token)).active, false);
  expect((await oauth.tokenIntrospection(config, tokens.refresh_token)).active, false);
});

console.log(JSON.stringify(outcomes));
