"""The words of problems (R-LNK)."""

from enum import StrEnum


class ProblemStatus(StrEnum):
    """Where a problem stands (R-LNK-01)."""

    OPEN = "OPEN"
    ROOT_CAUSE = "ROOT_CAUSE"
    KNOWN_ERROR = "KNOWN_ERROR"
    SOLVED = "SOLVED"
    CLOSED = "CLOSED"
