"""Queries, mutations and subscriptions: translate, call, wrap."""
