// Mercurius with JIT, loaders and the pg driver over the product's tables; PORT and DATABASE_URL say where.
import Fastify from "fastify";
import mercurius from "mercurius";
import pg from "pg";

const { PORT: port, DATABASE_URL: connectionString } = process.env;
const pool = new pg.Pool({ connectionString, max: 10 });

const schema = `
  type Organisation { id: ID! name: String! }
  type Person { id: ID! name: String! }
  type Clock { thread: String! state: String! deadline: String remaining: String }
  type ServiceRequest {
    id: ID! number: String! title: String! status: String! priority: String!
    customer: Organisation assignee: Person clocks: [Clock!]!
  }
  type RequestConnection { nodes: [ServiceRequest!]! }
  type Query { requests(first: Int): RequestConnection! }
`;

async function rows(name, text, values) {
  return (await pool.query({ name, text, values })).rows;
}

async function byId(name, table, ids) {
  const found = await rows(name, `select id, name from ${table} where id = any($1::uuid[])`, [ids]);
  return new Map(found.map((row) => [row.id, row]));
}

function related(table, key) {
  return async (queries) => {
    const ids = queries.map(({ obj }) => obj[key]);
    const found = await byId(table, table, [...new Set(ids.filter(Boolean))]);
    return ids.map((id) => found.get(id) ?? null);
  };
}

const resolvers = {
  Query: {
    async requests(_, { first = 50 }) {
      const nodes = await rows(
        "requests",
        `select id, number, title, status, priority, customer_id, assignee_id from request
         order by registered_at desc, id desc limit $1`,
        [Math.min(first, 100)],
      );
      return { nodes };
    },
  },
};

const loaders = {
  ServiceRequest: {
    customer: related("organisation", "customer_id"),
    assignee: related("person", "assignee_id"),
    async clocks(queries) {
      const ids = queries.map(({ obj }) => obj.id);
      const found = new Map(ids.map((id) => [id, []]));
      const clocks = await rows(
        "clocks",
        `select request_id, thread, state, deadline, coalesce(deadline_us, remaining_us) as remaining
         from clock where request_id = any($1::uuid[]) order by request_id, thread_no`,
        [ids],
      );
      for (const clock of clocks) {
        clock.deadline = clock.deadline && clock.deadline.toISOString();
        found.get(clock.request_id).push(clock);
      }
      return ids.map((id) => found.get(id));
    },
  },
};

const app = Fastify();
app.register(mercurius, { schema, resolvers, loaders, jit: 1 });
await app.listen({ port: Number(port), host: "127.0.0.1" });
console.log("ready");
