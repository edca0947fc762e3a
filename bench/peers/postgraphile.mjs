// PostGraphile 5 over the product's tables as they are; PORT and DATABASE_URL say where.
import { createServer } from "node:http";
import { postgraphile } from "postgraphile";
import { grafserv } from "postgraphile/grafserv/node";
import { makePgService } from "postgraphile/adaptors/pg";
import { PostGraphileAmberPreset } from "postgraphile/presets/amber";

const { PORT: port, DATABASE_URL: connectionString } = process.env;
const preset = {
  extends: [PostGraphileAmberPreset],
  pgServices: [
    makePgService({ connectionString, schemas: ["public"], poolConfig: { max: 10 }, pubsub: false }),
  ],
  grafserv: { graphqlPath: "/graphql", watch: false, graphiql: false, maxRequestLength: 100_000 },
  grafast: { explain: false },
};

const serv = postgraphile(preset).createServ(grafserv);
const server = createServer();
await serv.addTo(server);
server.listen(Number(port), "127.0.0.1", () => console.log("ready"));
