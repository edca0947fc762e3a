"""Importing another system's history: one mapping file per system (R-IMP-01)."""

from itr.imports.errors import CannotImport
from itr.imports.operations import run
from itr.imports.outcome import Outcome

__all__ = ["CannotImport", "Outcome", "run"]
