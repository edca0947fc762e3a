"""GraphQL over HTTP, WebSocket and SSE: conformance, limits, errors, context."""
