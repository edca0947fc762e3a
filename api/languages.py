"""Which language a reader likes."""

from itr.errors import Language


def language_of(accept_language: str | None) -> Language:
    """Pick the language of messages: the better liked of Chinese and English, else Chinese."""
    best: tuple[float, Language] = (0.0, "zh")
    for part in (accept_language or "").split(","):
        tag, _, parameters = part.strip().partition(";")
        weight = _weight(parameters)
        prefix = tag.strip().lower().split("-")[0]
        if prefix in ("zh", "en") and weight > best[0]:
            best = (weight, "zh" if prefix == "zh" else "en")
    return best[1]


def _weight(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
