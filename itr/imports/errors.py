"""What can be wrong with a mapping, a file, or one line of it."""

from itr.errors import DomainError


class CannotImport(Exception):
    """Nothing was imported: the mapping or the file as a whole is wrong."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(f"{zh} / {en}")


class BadLine(DomainError):
    """A line that does not go in; the rest does (R-IMP-01)."""

    code = "BAD_LINE"
    zh = "{zh_reason}"
    en = "{en_reason}"

    def __init__(self, zh_reason: str, en_reason: str) -> None:
        super().__init__(zh_reason=zh_reason, en_reason=en_reason)
