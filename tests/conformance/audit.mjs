// graphql-http's own audit of a server: its verdicts as JSON.
import { auditServer } from "graphql-http";

const { ITR_URL: url, ITR_TOKEN: token } = process.env;
const fetchFn = (address, { headers, ...init } = {}) =>
  fetch(address, { ...init, headers: { ...headers, authorization: `Bearer ${token}` } });

const verdicts = await auditServer({ url: `http://${url}/graphql`, fetchFn });
console.log(JSON.stringify(verdicts.map(({ id, name, status, reason }) => ({ id, name, status, reason }))));
