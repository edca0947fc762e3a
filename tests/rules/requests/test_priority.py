"""Which priority a classification has: every combination, written out by hand."""

import itertools

import pytest

from itr.catalogue.terms import FaultLevel, Impact, Priority
from itr.requests.priority import Classification, priority_of
from itr.requests.terms import ProblemType

#                 ENTERPRISE DEPARTMENT GROUP INDIVIDUAL
EXPECTED = {
    "FAULT": """
        CRITICAL  P1 P1 P2 P2
        MAJOR     P1 P2 P2 P3
        MINOR     P2 P3 P3 P4
        NONE      P3 P4 P4 P4
    """,
    "SECURITY": """
        CRITICAL  P1 P1 P1 P1
        MAJOR     P1 P1 P1 P2
        MINOR     P1 P2 P2 P3
        NONE      P2 P3 P3 P3
    """,
    "DEGRADATION": """
        CRITICAL  P1 P2 P2 P2
        MAJOR     P1 P2 P2 P3
        MINOR     P2 P3 P3 P4
        NONE      P3 P4 P4 P4
    """,
    "CONSULTATION": """
        CRITICAL  P3 P3 P3 P3
        MAJOR     P3 P3 P3 P3
        MINOR     P3 P3 P3 P4
        NONE      P3 P4 P4 P4
    """,
    "REQUIREMENT": """
        CRITICAL  P4 P4 P4 P4
        MAJOR     P4 P4 P4 P4
        MINOR     P4 P4 P4 P4
        NONE      P4 P4 P4 P4
    """,
}
IMPACTS = ("ENTERPRISE", "DEPARTMENT", "GROUP", "INDIVIDUAL")


def table() -> dict[tuple[str, str, str], str]:
    """Problem type, fault level and impact → priority."""
    return {
        (problem, row[0], impact): priority
        for problem, text in EXPECTED.items()
        for row in (line.split() for line in text.strip().splitlines())
        for impact, priority in zip(IMPACTS, row[1:], strict=True)
    }


@pytest.mark.parametrize(("combination", "priority"), table().items(), ids=str)
def test_a_combination_has_the_priority_of_the_matrix_bounded_by_its_type(
    combination: tuple[str, str, str], priority: str
) -> None:
    """R-PRI-01."""
    problem, level, impact = combination
    found = priority_of(Classification(ProblemType(problem), FaultLevel(level), Impact(impact)))
    assert found == priority


def test_every_combination_has_exactly_one_answer() -> None:
    """R-PRI-02: four levels, four impacts, five types."""
    combinations = list(itertools.product(ProblemType, FaultLevel, Impact))

    assert len(combinations) == 80
    assert {(str(p), str(level), str(i)) for p, level, i in combinations} == table().keys()
    assert all(isinstance(priority_of(Classification(*each)), Priority) for each in combinations)


def test_a_service_levels_own_matrix_takes_the_place_of_the_default() -> None:
    """R-CAT-03, R-PRI-01: bounded by the type all the same."""
    strict = {level.value: dict.fromkeys((i.value for i in Impact), "P1") for level in FaultLevel}

    def under(problem: ProblemType) -> Priority:
        return priority_of(Classification(problem, FaultLevel.NONE, Impact.INDIVIDUAL), strict)

    assert [under(problem) for problem in ProblemType] == ["P1", "P2", "P1", "P3", "P4"]
