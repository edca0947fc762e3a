"""Names and texts: what somebody can see in them, and what hides in none (R5)."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from itr.errors import DomainError, InvalidInput, Required, TooLong
from itr.texts import LONGEST_NAME, ensure_name, ensure_text

laws = settings(max_examples=200, deadline=None)


@pytest.mark.parametrize(
    "name",
    [
        "张伟",
        "Zhang Wei",
        "O'Brien-Çelik, Jr.",
        "محمد",
        "\u05d3\u05d5\u05d3 \u200f(ACME)",
        "می\u200cخواهم",
        "क्\u200dष",
        "Team 👩\u200d🔧",
        "Desk ❤\ufe0f",
        "1️⃣ line",
        "England 🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
        "7",
    ],
)
def test_what_people_are_called_is_a_name(name: str) -> None:
    """R5: joiners, selectors and marks of right-to-left scripts are part of writing."""
    assert ensure_name(f" {name}\u200b ") == name
    assert ensure_text(f"\ufeff{name}\n") == name


@pytest.mark.parametrize(
    "name",
    ["", " ", "\u3000\u00a0", "\u200b", "\u200e\u200f", "\u200d\ufe0f", "\u2060\ufeff", "\u061c",
     "\u115f", "\u3164", "\u2800", "\u0301", "\u00ad", "\U000e0041"],
)  # fmt: skip
def test_what_nobody_can_see_is_neither_a_name_nor_a_text(name: str) -> None:
    """R5."""
    for ensure in (ensure_name, ensure_text):
        with pytest.raises((Required, InvalidInput)) as refused:
            ensure(name, "name")
        assert refused.value.path == ("name",)


@pytest.mark.parametrize("hidden", ["\x00", "\x07", "\x1b", "\x7f", "\x85", "\ud800", "\ufffe",
                                    "\ufdd0", "\u202e", "\u202d"])  # fmt: skip
def test_what_hides_or_turns_text_is_in_neither(hidden: str) -> None:
    """R5: `Ann[202E]gpj.exe` would read as another name, and turn what stands beside it."""
    for ensure in (ensure_name, ensure_text):
        with pytest.raises(InvalidInput):
            ensure(f"Ann{hidden}gpj.exe")


@pytest.mark.parametrize("of_texts", ["\n", "\r\n", "\t", "\u2028", "\u202a", "\u2066", "\u2069"])
def test_lines_and_directions_are_of_texts_and_not_of_names(of_texts: str) -> None:
    """R5."""
    text = f"one{of_texts}two"

    assert ensure_text(text) == text
    with pytest.raises(InvalidInput):
        ensure_name(text)


def test_an_answer_may_be_a_sign_and_a_name_may_not() -> None:
    assert ensure_text("👍") == "👍"
    with pytest.raises(InvalidInput):
        ensure_name("👍")
    with pytest.raises(InvalidInput):
        ensure_name("…")


def test_a_limit_is_counted_without_the_blanks_around() -> None:
    assert ensure_name(" " + "名" * LONGEST_NAME + "\u200b")
    with pytest.raises(TooLong):
        ensure_name("名" * (LONGEST_NAME + 1))


@laws
@given(st.text(max_size=30))
def test_what_is_taken_shows_something_and_is_taken_again(text: str) -> None:
    """R5: and no control character ever gets in."""
    for ensure in (ensure_name, ensure_text):
        try:
            taken = ensure(text)
        except DomainError:
            continue
        assert ensure(taken) == taken
        assert any(unicodedata.category(each)[0] in "LNPS" for each in taken)
        assert not any(each < " " and each not in "\n\r\t" for each in taken)
        assert not set(taken) & set("\u202d\u202e")
