"""Shapes: where the fields of GraphQL types stand, and what mutations take.

The words come first: a type that names an enum finds it described, whichever is imported first.
"""

import api.schema.catalogue.words
import api.schema.requests.terms  # noqa: F401
