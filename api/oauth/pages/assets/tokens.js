// GraphiQL's tokens: kept for this tab, renewed before they end, gone when they have ended.
"use strict";
const desk = {
  client: "itr-graphiql",
  kept: sessionStorage,

  async redeem(fields) {
    const body = new URLSearchParams({ client_id: desk.client, ...fields });
    const answer = await fetch("/oauth/token", { method: "POST", body });
    const tokens = await answer.json();
    if (!answer.ok) throw new Error(tokens.error);
    desk.kept.itrToken = tokens.access_token;
    desk.kept.itrRefreshToken = tokens.refresh_token;
  },

  endsAt() {
    try {
      const claims = desk.kept.itrToken.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
      return JSON.parse(atob(claims)).exp * 1000;
    } catch {
      return Infinity;
    }
  },

  async authorization() {
    if (desk.kept.itrRefreshToken && desk.endsAt() - Date.now() < 60_000) {
      const again = { grant_type: "refresh_token", refresh_token: desk.kept.itrRefreshToken };
      desk.renewing ??= desk.redeem(again).catch(desk.forget).finally(() => { desk.renewing = undefined; });
      await desk.renewing;
    }
    return { Authorization: `Bearer ${desk.kept.itrToken ?? ""}` };
  },

  forget() {
    delete desk.kept.itrToken;
    delete desk.kept.itrRefreshToken;
  },

  ended() {
    desk.forget();
    location.replace("/graphql/sign-in?ended");
  },
};
