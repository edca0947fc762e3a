"""Shapes of the catalogue: products, service levels, contracts."""
