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


class EmailTaken(DomainError):
    """Somebody else signs in with this address."""

    code = "EMAIL_TAKEN"
    zh = "该邮箱已被他人用于登录。"
    en = "Somebody else signs in with this e-mail address."


_SIGN_IN_NAME = "person_sign_in_name"


@contextmanager
def kept_whole(*path: PathItem) -> Iterator[None]:
    """Turn what the database refuses into words: NameTaken at `path`, EmailTaken, or NotFound.

    Goes around the transaction, which a refused statement has ended.
    """
    try:
        yield
    except IntegrityError as error:
        causes = (error.__cause__, *error.args)
        taken = [cause for cause in causes if isinstance(cause, asyncpg.UniqueViolationError)]
        if any(cause.constraint_name == _SIGN_IN_NAME for cause in taken):
            raise EmailTaken(path=["email"]) from error
        if taken:
            raise NameTaken(path=path) from error
        if any(isinstance(cause, asyncpg.ForeignKeyViolationError) for cause in causes):
            raise NotFound() from error
        raise
