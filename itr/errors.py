"""What can go wrong and be told: one tree of coded errors, each with a sentence for its reader."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import ClassVar, Literal, ParamSpec, TypeVar, cast

Language = Literal["zh", "en"]
PathItem = str | int
P = ParamSpec("P")
T = TypeVar("T")


class DomainError(Exception):
    """An expected failure: a stable code, the input path it concerns, a sentence in two languages.

    `zh` and `en` are templates; what fills them is given as keywords and kept in `facts`.
    """

    code: ClassVar[str] = "INVALID"
    zh: ClassVar[str] = "输入无效。"
    en: ClassVar[str] = "The input is not valid."

    def __init__(self, *, path: Sequence[PathItem] = (), **facts: object) -> None:
        self.path = tuple(path)
        self.facts = facts
        super().__init__(self.message("en"))

    def message(self, language: Language) -> str:
        """The sentence for a reader of `language`."""
        return (self.zh if language == "zh" else self.en).format(**self.facts)


class Refused(DomainError):
    """Several things are wrong at once: speaks as the first, and names them all in `problems`."""

    def __init__(self, problems: Sequence[DomainError]) -> None:
        self.problems = tuple(problems)
        self.code = self.problems[0].code  # type: ignore[misc]
        super().__init__(path=self.problems[0].path)

    def message(self, language: Language) -> str:
        """The sentence of the first problem."""
        return self.problems[0].message(language)


class NotFound(DomainError):
    """Missing, forbidden, malformed and wrong-type ids answer alike (R-ROLE-04)."""

    code = "NOT_FOUND"
    zh = "找不到该对象。"
    en = "There is no such object."


class Forbidden(DomainError):
    """The actor's roles do not carry the permission (R-ROLE-02)."""

    code = "FORBIDDEN"
    zh = "您的角色无权执行此操作。"
    en = "Your roles do not permit this."


class Stale(DomainError):
    """The object has moved on since the version the caller named."""

    code = "STALE"
    zh = "对象已被他人修改（当前版本 {current}），请刷新后重试。"
    en = "The object has changed since you read it (it is at version {current}); reload and retry."


class InvalidInput(DomainError):
    """A value that cannot be taken as it is."""

    code = "INVALID"
    zh = "{zh_reason}"
    en = "{en_reason}"


class TooLong(DomainError):
    """A text longer than the field holds."""

    code = "TOO_LONG"
    zh = "内容过长：最多 {limit} 个字符。"
    en = "The text is too long: at most {limit} characters."


class Required(DomainError):
    """Something that is asked for, not guessed (R-REQ-08)."""

    code = "REQUIRED"
    zh = "此项必填。"
    en = "This is required."


def refuse(problems: Iterable[DomainError]) -> None:
    """Raise what is wrong, if anything: the error itself, or Refused with all of them."""
    found = list(problems)
    if len(found) == 1:
        raise found[0]
    if found:
        raise Refused(found)


def problems_of(error: DomainError) -> Sequence[DomainError]:
    """Everything an error says is wrong."""
    return error.problems if isinstance(error, Refused) else (error,)


class Faults:
    """Collects what is wrong with an input, so that all of it is told at once.

    What `of` returns for a fault is nothing to be used: `refuse` raises before anybody does.
    """

    def __init__(self) -> None:
        self._found: list[DomainError] = []

    def of(self, ensure: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What a check makes of its value; what it refuses is kept."""
        try:
            return ensure(*args, **kwargs)
        except DomainError as error:
            self.add(error)
            return cast("T", None)

    async def awaited(self, checked: Awaitable[T]) -> T:
        """The same of a check that has to look something up."""
        try:
            return await checked
        except DomainError as error:
            self.add(error)
            return cast("T", None)

    def add(self, error: DomainError) -> None:
        """Keep what is wrong; a missing permission is no fault of an input and goes on at once."""
        if isinstance(error, Forbidden):
            raise error
        self._found += problems_of(error)

    def refuse(self) -> None:
        """Raise everything that was found wrong, if anything."""
        refuse(self._found)
