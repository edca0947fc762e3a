"""What can be wrong with a mapping, a file, or one line of it."""

from itr.errors import InvalidInput

MOST_SHOWN = 40


class CannotImport(Exception):
    """Nothing was imported: the mapping or the file as a whole is wrong."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(f"{zh} / {en}")


def bad_line(zh: str, en: str, value: str | None = None) -> InvalidInput:
    """Why a line does not go in, and its request with it (R-IMP-01).

    `value` is what stood there, its beginning; what differs in nothing else is of one `kind`.
    """
    shown = "" if value is None else " ".join(value[:MOST_SHOWN].split())
    return InvalidInput(
        zh_reason=f"{zh}：{shown}" if shown else zh,
        en_reason=f"{en}: {shown}" if shown else en,
        kind=en,
    )
