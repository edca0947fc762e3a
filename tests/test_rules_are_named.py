"""Which rules of the domain tests name, and which none names yet.

`rules.txt` lists every rule; `rules_not_yet_named.txt` those without a test, and only shrinks.
"""

import re
from pathlib import Path

TESTS = Path(__file__).parent
RULES = TESTS / "rules.txt"
NOT_YET = TESTS / "rules_not_yet_named.txt"

_RULE = re.compile(r"R-[A-Z]+-\d{2}")
_SERIES = re.compile(r"(R-[A-Z]+-)(\d{2})((?:\s*(?:,|…|\.\.\.|and)\s*\d{2}\b)+)")


def rules_in(text: str) -> set[str]:
    """Rules a text names, also as `R-CAL-01, 02` and `R-REQ-01 … 08`."""
    found = set(_RULE.findall(text))
    for area, first, rest in _SERIES.findall(text):
        last = int(first)
        for joint, number in re.findall(r"(,|…|\.\.\.|and)\s*(\d{2})", rest):
            start = last + 1 if joint in ("…", "...") else int(number)
            found |= {f"{area}{each:02}" for each in range(start, int(number) + 1)}
            last = int(number)
    return found


def rules_of(path: Path) -> list[str]:
    """The rules of a list, one a line."""
    return path.read_text(encoding="utf-8").split()


def named_rules() -> set[str]:
    """Every rule that the words of a test name."""
    this = Path(__file__)
    modules = (path for path in TESTS.rglob("test_*.py") if path != this)
    return set().union(*(rules_in(path.read_text(encoding="utf-8")) for path in modules))


def test_series_of_rules_are_read_as_people_write_them() -> None:
    assert rules_in("R-CAL-01, 02 and R-REQ-01 … 03, R-SLA-07") == {
        "R-CAL-01", "R-CAL-02", "R-REQ-01", "R-REQ-02", "R-REQ-03", "R-SLA-07",
    }  # fmt: skip


def test_tests_name_only_rules_there_are() -> None:
    unknown = named_rules() - set(rules_of(RULES))
    assert not unknown, f"no such rules: {sorted(unknown)}"


def test_the_rules_no_test_names_are_the_ones_listed() -> None:
    unnamed = sorted(set(rules_of(RULES)) - named_rules())

    print(f"{len(unnamed)} rules no test names yet: {' '.join(unnamed)}")  # noqa: T201

    listed = set(rules_of(NOT_YET))
    assert not listed - set(unnamed), f"named by now, take off the list: {listed - set(unnamed)}"
    assert not set(unnamed) - listed, f"no test names them any more: {set(unnamed) - listed}"


def test_the_lists_are_in_order_and_without_repetition() -> None:
    for path in (RULES, NOT_YET):
        assert rules_of(path) == sorted(set(rules_of(path))), path.name


if __name__ == "__main__":  # renew the list after naming a rule
    unnamed = sorted(set(rules_of(RULES)) - named_rules())
    NOT_YET.write_text("".join(f"{rule}\n" for rule in unnamed), encoding="utf-8")
