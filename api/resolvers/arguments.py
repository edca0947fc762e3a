"""What arguments of root fields mean; a name means the same wherever it stands."""

from strawberry.types.base import StrawberryObjectDefinition

MEANINGS = {
    "input": "What it takes.",
    "id": "Which one.",
    "ids": "Which ones; the answer keeps their order.",
    "request_id": "Which request.",
    "filter": "Only what this holds for.",
    "after": "Only what comes after this cursor.",
    "days": "How many days the 991 shares look back, from 1 to 366.",
    "period": "From when to when.",
    "instant": "Which instant of a request must lie in the period.",
    "time_zone": "Where days, weeks and months begin at midnight, e.g. Asia/Shanghai.",
    "by": "The dimensions to break it down by; none for one row of all.",
    "calendar": "The calendar to count by.",
    "start": "When to begin counting.",
    "end": "Until when; or give `duration`.",
    "since": "The first day counted.",
    "coordinates": "Only these: `Type.field` or `Type.field(argument:)`.",
    "client_id": "Only this client.",
    "deprecated": "Only what is announced to go.",
    "document": "The document, as it would be sent.",
    "variables": "Its variables, a JSON object as text.",
    "operation_name": "Which of its operations; needed when there are several.",
    "language": "In which language.",
    "names": "Only these enums.",
    "duration": "How much working time; or give `end`.",
}


def describe(root: type, description: str) -> type:
    """Describe a root type, and its arguments that do not describe themselves.

    Raises KeyError for one whose name says nothing yet.
    """
    definition: StrawberryObjectDefinition = root.__strawberry_definition__  # type: ignore[attr-defined]
    definition.description = description
    for field in definition.fields:
        for argument in field.arguments:
            argument.description = argument.description or MEANINGS[argument.python_name]
    return root
