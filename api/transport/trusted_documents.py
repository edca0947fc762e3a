"""Documents known by their SHA-256: looked up once, and the only ones some clients may run."""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import replace
from typing import NamedTuple

from api.transport.bodies import Operation
from api.transport.errors import Refusal
from itr.actors.actor import Actor
from itr.trusted_documents.operations import find_document
from itr.trusted_documents.policy import needs_trusted_documents
from itr.trusted_documents.rules import sha256_of

_REMEMBERED = 5_000
_FOUND_SECONDS = 60.0
_MISSED_SECONDS = 2.0


class _Known(NamedTuple):
    text: str | None
    until: float


class TrustedDocuments:
    """The registered documents of all clients, as far as this process has been asked for them."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[str, str], _Known] = OrderedDict()

    async def resolve(self, actor: Actor, operation: Operation) -> Operation:
        """Return the operation with its text; raises Refusal.

        One that comes with text runs it; its hash, if there is one, must be that of the text.
        Who needs trusted documents runs nothing that was not registered, however it came.
        """
        trusted = needs_trusted_documents(actor)
        if operation.query:
            digest = sha256_of(operation.query) if trusted or operation.sha256 else ""
            if operation.sha256 and operation.sha256 != digest:
                raise Refusal("DOCUMENT_MISMATCH")
            if not trusted:
                return operation
            if await self._text(actor.client_id, digest) is None:
                raise Refusal("DOCUMENT_NOT_TRUSTED")
            return replace(operation, registered=True)
        text = await self._text(actor.client_id, operation.sha256 or operation.document_id or "")
        if text is None:
            raise Refusal("PERSISTED_QUERY_NOT_FOUND")
        return replace(operation, query=text, registered=True)

    async def _text(self, client_id: str, name: str) -> str | None:
        key, now = (client_id, name), time.monotonic()
        known = self._known.get(key)
        if known is None or known.until < now:
            text = await find_document(client_id, name)
            lasts = _MISSED_SECONDS if text is None else _FOUND_SECONDS
            known = self._known[key] = _Known(text, now + lasts)
            self._known.move_to_end(key)
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return known.text
