"""Names that two things cannot share, as the database sees it."""

from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg
from tortoise.exceptions import IntegrityError

from itr.errors import DomainError, NotFound, PathItem


class NameTaken(DomainError):
    """Another thing of the kind has this name."""

    code = "NAME_TAKEN"
    zh = "该名称已被使用。"
    en = "This name is taken."


@contextmanager
def kept_whole(*path: PathItem) -> Iterator[None]:
    """Turn what the database refuses into words: NameTaken at `path`, or NotFound.

    Goes around the transaction, which a refused statement has ended.
    """
    try:
        yield
    except IntegrityError as error:
        causes = (error.__cause__, *error.args)
        if any(isinstance(cause, asyncpg.UniqueViolationError) for cause in causes):
            raise NameTaken(path=path) from error
        if any(isinstance(cause, asyncpg.ForeignKeyViolationError) for cause in causes):
            raise NotFound() from error
        raise
