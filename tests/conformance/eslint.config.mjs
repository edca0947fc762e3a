// graphql-eslint's rules for Relay and for schemas at large, over schema.graphql.
import graphql from "@graphql-eslint/eslint-plugin";

const SCHEMA = "api/schema/schema.graphql";

export default [
  {
    files: [SCHEMA],
    languageOptions: { parser: graphql.parser, parserOptions: { graphQLConfig: { schema: SCHEMA } } },
    plugins: { "@graphql-eslint": graphql },
    rules: {
      "@graphql-eslint/relay-page-info": "error",
      // Exception: short, whole lists (clocks, roles, userErrors) are lists; what can grow is a connection.
      "@graphql-eslint/relay-edge-types": [
        "error",
        { withEdgeSuffix: true, shouldImplementNode: true, listTypeCanWrapOnlyEdgeType: false },
      ],
      "@graphql-eslint/relay-connection-types": "error",
      "@graphql-eslint/relay-arguments": ["error", { includeBoth: true }],
      "@graphql-eslint/require-deprecation-reason": "error",
      "@graphql-eslint/no-unreachable-types": "error",
      "@graphql-eslint/no-duplicate-fields": "error",
      "@graphql-eslint/unique-enum-value-names": "error",
      "@graphql-eslint/require-description": [
        "error",
        { types: true, FieldDefinition: true, InputValueDefinition: true, EnumValueDefinition: true },
      ],
    },
  },
];
