"""What is used by whom: counted in memory, added to the day's counts now and then."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Self

from graphql import OperationDefinitionNode

from api.transport.documents import Document
from itr.trusted_documents.operations import count_uses

logger = logging.getLogger("itr.usage")

FLUSH_SECONDS = 20.0
_MOST = 2_000
"""Documents told apart between two flushes; the fields of further ones are counted still."""
_MOST_OF_ONE = 200
"""Of these, documents of one client: one that floods leaves room for the others."""
_LONGEST_NAME = 200


class Usage:
    """How often each client ran each document since the last flush."""

    def __init__(self) -> None:
        self._documents: Counter[tuple[str, Document, str]] = Counter()
        self._by_client: Counter[str] = Counter()
        self._others: Counter[tuple[str, str]] = Counter()

    def note(self, client_id: str, document: Document, operation: OperationDefinitionNode) -> None:
        """Count one run; costs a look-up."""
        key = (client_id, document, operation.name.value if operation.name else "")
        if key in self._documents:
            self._documents[key] += 1
            return
        if len(self._documents) < _MOST and self._by_client[client_id] < _MOST_OF_ONE:
            self._documents[key] = 1
            self._by_client[client_id] += 1
            return
        for coordinate in document.coordinates(key[2]):
            self._others[client_id, coordinate] += 1

    async def flush(self) -> None:
        """Add what was counted to the day's counts; what cannot be written is kept."""
        documents, self._documents = self._documents, Counter()
        others, self._others = self._others, Counter()
        self._by_client = Counter()
        if not documents and not others:
            return
        rows: Counter[tuple[str, str, str]] = Counter()
        fields = others.copy()
        try:
            for (client_id, document, name), uses in documents.items():
                rows[client_id, document.sha256, name[:_LONGEST_NAME]] += uses
                for coordinate in document.coordinates(name):
                    fields[client_id, coordinate] += uses
            await count_uses(rows, fields, now=datetime.now(UTC))
        except Exception as error:
            logger.warning("usage cannot be written: %s", type(error).__name__)
            self._documents.update(documents)
            self._by_client.update(client_id for client_id, _, _ in documents)
            self._others.update(others)

    @asynccontextmanager
    async def counted(self) -> AsyncIterator[Self]:
        """Flush now and then, and at the end of the block."""
        task = asyncio.create_task(self._flush_forever(), name="usage")
        try:
            yield self
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await self.flush()

    async def _flush_forever(self) -> None:
        while True:
            await asyncio.sleep(FLUSH_SECONDS)
            await self.flush()
