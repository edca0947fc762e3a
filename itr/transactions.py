"""Opening a transaction such that a connection which dies leaves nothing behind."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from tortoise import transactions
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.connection import get_connections
from tortoise.exceptions import TransactionManagementError

NAME = "default"
"""What Tortoise calls the product's one database."""


@asynccontextmanager
async def in_transaction() -> AsyncIterator[BaseDBAsyncClient]:
    """One transaction of Tortoise's; committed at the end, undone by an exception.

    Where BEGIN fails Tortoise keeps the connection taken from its pool, and where BEGIN or giving
    it back fails the dead connection stays this task's current one: all it did from then on would
    go there. Here both are given back.
    """
    opened = transactions.in_transaction(NAME)
    before = get_connections().get(NAME)

    def restore() -> None:
        if get_connections().get(NAME) is not before:
            get_connections().set(NAME, before)

    async with AsyncExitStack() as left_behind:
        left_behind.callback(restore)
        try:
            connection = await opened.__aenter__()
        except BaseException:
            if get_connections().get(NAME) is not before:
                await opened.__aexit__(TransactionManagementError, None, None)
            raise
        left_behind.push_async_exit(opened.__aexit__)
        yield connection
