"""Verbs of tickets in the schema: the enum of a kind, and the documentation of its mutations."""

from collections.abc import Collection
from enum import StrEnum
from typing import Any

from api.schema.vocabulary import described
from itr.tickets.verbs import Verb, Verbs


def described_verbs(verbs: type[Verbs], name: str, description: str) -> None:
    """Register the verbs of a kind as a GraphQL enum of this name, described as declared."""
    described(verbs, description, {each: label_of(each.declared) for each in verbs}, name=name)


def label_of(verb: Verb) -> str:
    """What people call a verb, in both languages."""
    zh, en = verb.called
    return f"{en}. {zh}"


def sentence_of(verb: Verb) -> str:
    """What a verb does, and what it is called."""
    zh, en = verb.called
    return f"{verb.does or f'{en}.'} {zh}"


def documentation_of(verb: Verb, sentence: str | None = None) -> str:
    """What a client reads of a mutation: what it does, who may, from where to where, its needs.

    `sentence` says what one of several mutations of a verb does.
    """
    lines = [
        sentence or sentence_of(verb),
        f"Permission / 权限: `{verb.permission}`{_owners(verb)}",
        f"From / 自: {states(verb.from_states)}" + _leads(verb),
    ]
    if verb.needs is not None:
        zh, en = verb.needs
        lines.append(f"Needs / 需要: {en} / {zh}")
    return "\n".join(lines)


def states(some: Collection[StrEnum]) -> str:
    """States in the order of their lifecycle."""
    of = [type(each) for each in some]
    if not of:
        return "–"
    if len(some) == len(of[0]):
        return "any / 任何状态"
    return " ".join(f"`{each}`" for each in of[0] if each in some)


def owners(verb: Verb) -> str:
    """Whose a verb is of those with its permission; empty: everybody's."""
    who = verb.who
    named = [text for text, so in _NAMED if so(who)]
    return " ".join([*named, *(f"`{role}`" for role in sorted(who.roles))])


_NAMED: Any = (
    ("owner / 责任人", lambda who: who.owner),
    ("requester / 请求人", lambda who: who.requesters),
)


def _owners(verb: Verb) -> str:
    whose = owners(verb)
    return f" ({whose})" if whose else ""


def _leads(verb: Verb) -> str:
    if not verb.to:
        return ""
    return f" → {states(verb.to)}" + (" (or it stays / 或不变)" if verb.may_stay else "")
