// Whoever has no token is sent to sign in before anything else is loaded.
"use strict";
if (!desk.kept.itrToken) location.replace("/graphql/sign-in");
