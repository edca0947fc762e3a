// TypeScript out of schema.graphql and the documents given: graphql-codegen's own plugins, called directly.
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { codegen } from "@graphql-codegen/core";
import * as typescript from "@graphql-codegen/typescript";
import * as operations from "@graphql-codegen/typescript-operations";
import * as typed from "@graphql-codegen/typed-document-node";
import { buildSchema, isScalarType, isSpecifiedScalarType, parse, printSchema, validate } from "graphql";

const [schemaPath, output, ...documentPaths] = process.argv.slice(2);
const schema = buildSchema(await readFile(schemaPath, "utf8"));
const documents = await Promise.all(
  documentPaths.map(async (location) => ({ location, document: parse(await readFile(location, "utf8")) })),
);
for (const { location, document } of documents) {
  for (const error of validate(schema, document)) throw new Error(`${location}: ${error.message}`);
}

const config = { strictScalars: true, enumsAsTypes: true, useTypeImports: true, scalars: scalars(schema) };
await generate("schema.ts", { typescript }, []);
await generate("desk.ts", { operations, typed }, documents);

async function generate(name, pluginMap, given) {
  const filename = join(output, name);
  const plugins = Object.keys(pluginMap).map((plugin) => ({ [plugin]: {} }));
  const made = { filename, schema: parse(printSchema(schema)), documents: given, config, pluginMap, plugins };
  await mkdir(output, { recursive: true });
  await writeFile(filename, await codegen(made));
}

/** Every scalar of our own travels as text. */
function scalars(schema) {
  const ours = Object.values(schema.getTypeMap()).filter((type) => isScalarType(type) && !isSpecifiedScalarType(type));
  return Object.fromEntries(ours.map(({ name }) => [name, "string"]));
}
