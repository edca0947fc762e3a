"""What clients talk to: GraphQL and HTTP live here and nowhere below."""
