"""Measurements of the product, run by hand (`make bench`) and in tests as a smoke."""
