"""Shapes: where the fields of GraphQL types stand, and what mutations take.

The words come first: a type that names an enum finds it described, whichever is imported first.
"""

import api.schema.request_terms
import api.schema.service_words  # noqa: F401
