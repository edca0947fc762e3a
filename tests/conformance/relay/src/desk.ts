// A small desk as a Relay application writes it: pages, nodes, a verb, a feed.
declare function graphql(text: TemplateStringsArray): unknown;

export const page = graphql`
  query deskPageQuery($first: Int!, $after: String) {
    ...desk_requests @arguments(first: $first, after: $after)
  }
`;

export const requests = graphql`
  fragment desk_requests on Query
  @argumentDefinitions(first: { type: "Int", defaultValue: 20 }, after: { type: "String" })
  @refetchable(queryName: "deskRequestsPaginationQuery") {
    requests(first: $first, after: $after, orderBy: [{ field: REGISTERED_AT, direction: DESC }])
      @connection(key: "desk_requests") {
      edges {
        node {
          id
          ...desk_request
        }
      }
    }
  }
`;

export const request = graphql`
  fragment desk_request on ServiceRequest @refetchable(queryName: "deskRequestRefetchQuery") {
    number
    title
    status
    priority
    customer {
      name
    }
    clocks {
      thread
      state
      deadline
      remaining
    }
  }
`;

export const timeline = graphql`
  fragment desk_timeline on ServiceRequest
  @argumentDefinitions(count: { type: "Int", defaultValue: 50 }, cursor: { type: "String" })
  @refetchable(queryName: "deskTimelinePaginationQuery") {
    timeline(first: $count, after: $cursor) @connection(key: "desk_timeline") {
      edges {
        node {
          id
        }
      }
    }
  }
`;

export const submit = graphql`
  mutation deskSubmitMutation($input: SubmitRequestInput!) {
    submitRequest(input: $input) {
      request {
        id
        ...desk_request
        ...desk_timeline
      }
      userErrors {
        path
        code
        message
      }
    }
  }
`;

export const events = graphql`
  subscription deskEventsSubscription($after: String) {
    requestEvents(after: $after) {
      __typename
      ... on RequestSnapshot {
        cursor
        requests {
          id
          ...desk_request
        }
      }
      ... on RequestChanged {
        cursor
        request {
          id
          ...desk_request
        }
      }
      ... on RequestRemoved {
        cursor
        requestId
      }
      ... on RequestResync {
        cursor
      }
    }
  }
`;
