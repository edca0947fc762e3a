"""What decides a priority: problem type, fault level and impact; nobody types it (R-PRI-01)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from itr.catalogue.terms import FaultLevel, Impact, Priority
from itr.requests.terms import ProblemType

Matrix = Mapping[str, Mapping[str, str]]

DEFAULT_MATRIX: Matrix = {
    FaultLevel.CRITICAL: dict(zip(Impact, ("P1", "P1", "P2", "P2"), strict=True)),
    FaultLevel.MAJOR: dict(zip(Impact, ("P1", "P2", "P2", "P3"), strict=True)),
    FaultLevel.MINOR: dict(zip(Impact, ("P2", "P3", "P3", "P4"), strict=True)),
    FaultLevel.NONE: dict(zip(Impact, ("P3", "P4", "P4", "P4"), strict=True)),
}


@dataclass(frozen=True)
class Classification:
    """What line 1 found out about a request when accepting it."""

    problem_type: ProblemType
    fault_level: FaultLevel
    impact: Impact


class Classified(Protocol):
    """A request as far as its classification goes."""

    problem_type: ProblemType | None
    fault_level: FaultLevel | None
    impact: Impact | None


def classification_of(request: Classified) -> Classification:
    """The classification of a request that was accepted."""
    assert request.problem_type is not None
    assert request.fault_level is not None
    assert request.impact is not None
    return Classification(request.problem_type, request.fault_level, request.impact)


def priority_of(classification: Classification, matrix: Matrix | None = None) -> Priority:
    """The one priority a classification has: the matrix, bounded by the problem type (R-PRI-02)."""
    cell = (matrix or DEFAULT_MATRIX)[classification.fault_level][classification.impact]
    urgency = int(cell[1])
    match classification.problem_type:
        case ProblemType.SECURITY:
            urgency = max(1, urgency - 1)
        case ProblemType.DEGRADATION if classification.impact is not Impact.ENTERPRISE:
            urgency = max(2, urgency)
        case ProblemType.CONSULTATION:
            urgency = max(3, urgency)
        case ProblemType.REQUIREMENT:
            urgency = 4
    return Priority(f"P{urgency}")
