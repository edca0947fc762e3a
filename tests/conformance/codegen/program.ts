// A program over the generated types. What must not compile is said with @ts-expect-error:
// types that have become too loose fail here as surely as types that have become wrong.
import type { TypedDocumentNode } from "@graphql-typed-document-node/core";
import {
  EventsDocument,
  RequestsOnTheDeskDocument,
  SubmitDocument,
  type OnTheDeskFragment,
} from "./generated/desk.js";
import type { ServiceRequest } from "./generated/schema.js";

declare function run<Result, Variables>(
  document: TypedDocumentNode<Result, Variables>,
  variables: Variables,
): Promise<Result>;
declare function follow<Result, Variables>(
  document: TypedDocumentNode<Result, Variables>,
  variables: Variables,
): AsyncIterable<Result>;

export async function urgent(): Promise<string[]> {
  const { requests } = await run(RequestsOnTheDeskDocument, {
    first: 20,
    filter: { priority: { in: ["P1", "P2"] } },
  });
  const next: string | null | undefined = requests.pageInfo.endCursor;
  return next ? requests.nodes.map((request) => request.number) : [];
}

export async function submit(title: string): Promise<OnTheDeskFragment | string> {
  const input = { kind: "TECHNICAL", title, description: "-", productUnknown: true } as const;
  const { submitRequest } = await run(SubmitDocument, { input });
  const failed = submitRequest?.userErrors[0];
  if (failed?.code === "NOT_FOUND") return failed.message;
  return submitRequest?.request ?? "";
}

export async function watch(seen: Map<string, OnTheDeskFragment>): Promise<void> {
  let after: string | null = null;
  for await (const { requestEvents: message } of follow(EventsDocument, { after })) {
    after = message.cursor;
    switch (message.__typename) {
      case "RequestSnapshot":
        for (const request of message.requests) seen.set(request.id, request);
        break;
      case "RequestChanged":
        if (message.request) seen.set(message.request.id, message.request);
        break;
      case "RequestRemoved":
        seen.delete(message.requestId);
        break;
      case "RequestResync":
        seen.clear();
        break;
      default:
        message satisfies never;
    }
  }
}

/** The whole schema's types fit those of the documents. */
export const numberOf = (request: Pick<ServiceRequest, keyof OnTheDeskFragment & "number">): string =>
  request.number;

export async function mistakes(): Promise<void> {
  // @ts-expect-error a page has a size
  await run(RequestsOnTheDeskDocument, {});
  // @ts-expect-error there is no such priority
  await run(RequestsOnTheDeskDocument, { first: 1, filter: { priority: { eq: "P9" } } });
  // @ts-expect-error a request has a title
  await run(SubmitDocument, { input: { kind: "TECHNICAL", description: "-" } });
  const { requests } = await run(RequestsOnTheDeskDocument, { first: 1 });
  // @ts-expect-error this was not asked for
  requests.nodes[0]?.description;
  // @ts-expect-error a mutation may be refused as a whole
  (await run(SubmitDocument, { input: { kind: "TECHNICAL", title: "-", description: "-" } })).submitRequest.request;
}
