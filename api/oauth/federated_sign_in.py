"""Signing in at another issuer (OpenID Connect): leaving with PKCE and a nonce, coming back with a
code, and what its ID token says of the person.

Nonce and verifier are derived from the state, which only the browser and the issuer hold, and from
a secret that only this server holds: nothing that would redeem a code is kept (S15).
"""

from __future__ import annotations

import hashlib
import hmac
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import httpx2
from authlib.integrations.base_client import OAuthError
from authlib.oidc.core import CodeIDToken
from joserfc.errors import JoseError

from api.oauth.issuer_http import IssuerHttp, Unreachable, is_at
from api.oauth.issuer_metadata import IssuerMetadata
from api.oauth.issuers import LEEWAY, is_subject, issued_at, verified, vouched
from itr.access.operations.external import Vouched, no_longer_vouched_for
from itr.access.rules import how_federated
from itr.errors import DomainError
from itr.issuers.clients import IssuerClient

logger = logging.getLogger("itr.oauth")


class IssuerAway(DomainError):
    """The issuer cannot be asked now."""

    code = "ISSUER_AWAY"
    zh = "{zh}暂时没有应答，请稍后再试。"
    en = "There is no answer from {en} at the moment; please try again later."


class IssuerRefused(DomainError):
    """The issuer sent the browser back without a code: declined, not allowed, or failed there."""

    code = "ISSUER_REFUSED"
    zh = "{zh}没有允许此次登录，或登录被取消（{reason}）。"
    en = "This sign-in was cancelled, or not allowed by {en} ({reason})."


class IssuerNotBelieved(DomainError):
    """What came from the issuer is not what it would say to us; which check failed is logged."""

    code = "ISSUER_NOT_BELIEVED"
    zh = "{zh}的登录结果未通过校验，请重试；若仍如此，请联系管理员。"
    en = "What {en} answered did not pass our checks; try again, or ask an administrator."


class NobodyOfOurs(DomainError):
    """The issuer's claims give the person no role or organisation here."""

    code = "NOBODY_OF_OURS"
    zh = "{zh}没有说明您在本系统中的角色和组织，请联系管理员。"
    en = "You have no role and organisation here by what {en} says; ask an administrator."


@dataclass(frozen=True)
class FederatedSignIn:
    """An issuer as the place one browser goes to and comes back from."""

    issuer_metadata: IssuerMetadata
    redirect_uri: str
    secret: bytes

    @property
    def client(self) -> IssuerClient:
        """What we are there."""
        client = self.issuer_metadata.issuer.client
        assert client is not None
        return client

    async def address(self, state: str, *, asked: Mapping[str, str]) -> str:
        """Where the browser is sent; raises IssuerAway."""
        metadata = await self._metadata()
        place = str(metadata.get("authorization_endpoint"))
        if not is_at(self.issuer_metadata.issuer, place):
            self._log("its authorization_endpoint is at none of its hosts")
            raise self.failed(IssuerAway)
        async with self._http(metadata) as http:
            url, _ = http.create_authorization_url(
                place,
                state=state,
                nonce=self._derived("nonce", state),
                code_verifier=self._derived("verifier", state),
                **asked,
            )
        return str(url)

    async def code_of(self, said: Mapping[str, str]) -> str:
        """The code the browser came back with; raises IssuerNotBelieved, IssuerRefused."""
        issuer = said.get("iss")
        metadata = await self._metadata()
        announced = metadata.get("authorization_response_iss_parameter_supported") is True
        if issuer != self.issuer_metadata.issuer.url and (announced or issuer is not None):
            self._log("the answer is of another issuer (RFC 9207)")
            raise self.failed(IssuerNotBelieved)
        if "error" in said or not said.get("code"):
            raise self.failed(IssuerRefused, reason=_word(said.get("error", "no code")))
        return said["code"]

    async def person(self, code: str, state: str, *, now: datetime) -> Vouched:
        """Whom the issuer vouches for, by an ID token for us and this very sign-in.

        Raises IssuerAway, IssuerNotBelieved, and NobodyOfOurs, with which they lose what roles
        they had.
        """
        try:
            claims = await self._claims(code, state, now)
        except (Unreachable, httpx2.HTTPError, httpx2.InvalidURL) as error:
            self._log(f"{type(error).__name__}: {error}")
            raise self.failed(IssuerAway) from None
        except OAuthError as error:
            self._log(f"its token endpoint says {_word(error.error)}")
            raise self.failed(IssuerNotBelieved) from None
        except (JoseError, ValueError, TypeError, KeyError) as error:
            told = _word(error) if isinstance(error, JoseError) else ""
            self._log(f"{type(error).__name__} {told}")
            raise self.failed(IssuerNotBelieved) from None
        try:
            person = vouched(self.issuer_metadata.issuer, claims)
            return replace(person, how=how_federated(claims, now=now))
        except ValueError as error:
            self._log(str(error))
            if is_subject(claims["sub"]):
                await no_longer_vouched_for(
                    self.issuer_metadata.issuer.url,
                    claims["sub"],
                    now=now,
                    said_at=issued_at(claims),
                )
            raise self.failed(NobodyOfOurs) from None

    def failed(self, kind: type[DomainError], **facts: str) -> DomainError:
        """An error that calls the issuer what its button does."""
        return kind(zh=self.client.zh, en=self.client.en, **facts)

    async def _claims(self, code: str, state: str, now: datetime) -> Mapping[str, Any]:
        issuer, metadata = self.issuer_metadata.issuer, await self.issuer_metadata.metadata()
        async with self._http(metadata) as http:
            tokens = await http.fetch_token(
                str(metadata.get("token_endpoint")),
                grant_type="authorization_code",
                code=code,
                code_verifier=self._derived("verifier", state),
            )
        header, said = await verified(self.issuer_metadata, str(tokens["id_token"]))
        claims = CodeIDToken(
            said,
            header,
            options={"iss": {"values": [issuer.url]}, "aud": {"values": [self.client.client_id]}},
            params={
                "nonce": self._derived("nonce", state),
                "client_id": self.client.client_id,
                "access_token": tokens.get("access_token"),
            },
        )
        claims.validate(now=int(now.timestamp()), leeway=int(LEEWAY.total_seconds()))
        return said

    async def _metadata(self) -> Mapping[str, Any]:
        try:
            return await self.issuer_metadata.metadata()
        except Unreachable as error:
            self._log(str(error))
            raise self.failed(IssuerAway) from None

    def _http(self, metadata: Mapping[str, Any]) -> IssuerHttp:
        offered = metadata.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        basic = "client_secret_basic" in offered
        return IssuerHttp(
            self.issuer_metadata.issuer,
            client_id=self.client.client_id,
            client_secret=self.client.secret.get_secret_value(),
            token_endpoint_auth_method="client_secret_basic" if basic else "client_secret_post",
            scope=" ".join(self.client.scopes),
            redirect_uri=self.redirect_uri,
            code_challenge_method="S256",
        )

    def _derived(self, what: str, state: str) -> str:
        return hmac.new(self.secret, f"{what}\0{state}".encode(), hashlib.sha256).hexdigest()

    def _log(self, reason: str) -> None:
        logger.warning("a sign-in at %s fails: %s", self.issuer_metadata.issuer.url, reason)


def _word(said: object) -> str:
    """A code of theirs as one short word that may be shown and logged."""
    return "".join(each for each in str(said)[:60] if each.isalnum() or each in "_-. ") or "-"
