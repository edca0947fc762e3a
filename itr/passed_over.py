"""What batches pass over: one thing nobody can compute never holds up the others."""

import logging
from dataclasses import dataclass, field
from uuid import UUID

from itr.errors import DomainError
from itr.faults import kind_of

INCOMPUTABLE = (ValueError, LookupError, TypeError, ArithmeticError, DomainError)
"""What arithmetic over kept values raises where these make no sense."""


@dataclass
class PassedOver:
    """What could not be computed: each told once, and left alone until it is forgiven."""

    ids: set[UUID] = field(default_factory=set)
    told: set[UUID] = field(default_factory=set)

    def note(self, logger: logging.Logger, what: str, key: UUID, error: Exception) -> None:
        """Leave it as it is from now on; the log tells it the first time."""
        self.ids.add(key)
        if key not in self.told:
            self.told.add(key)
            logger.error("%s %s cannot be computed: %s", what, key, kind_of(error))

    def forgive(self) -> None:
        """Give everything another chance."""
        self.ids.clear()
