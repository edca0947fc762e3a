"""What can be wrong with a mapping, a file, or one line of it."""

from itr.errors import InvalidInput


class CannotImport(Exception):
    """Nothing was imported: the mapping or the file as a whole is wrong."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(f"{zh} / {en}")


def bad_line(zh: str, en: str) -> InvalidInput:
    """Why a line does not go in; the rest does (R-IMP-01)."""
    return InvalidInput(zh_reason=zh, en_reason=en)
