"""The demonstration: a desk with people, contracts, requests and a year behind it."""
