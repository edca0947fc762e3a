"""Queries, mutations, subscriptions: translate, call, wrap."""
