"""Settings of the server: one object, read once from the environment, nothing secret by default."""

import os
from collections.abc import Mapping
from typing import Literal, Self

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from itr.issuers.external import read_issuers
from itr.networks import read_networks
from itr.origins import read_origins

PREFIX = "ITR_"
_NOT_SETTINGS = frozenset({"ITR_HOME"})


class WrongSettings(Exception):
    """The environment does not make a server; the message is one clear sentence."""


class Settings(BaseSettings):
    """What the server needs to know of its surroundings; every variable starts with `ITR_`."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid")

    database_url: str = Field(description="PostgreSQL, as postgresql://user:password@host/name.")
    owner_database_url: str = Field(
        default="", description="The same database as the owner of its tables, for `itr migrate`."
    )
    valkey_url: str = Field(description="Valkey, as valkey://host:6379/0 or unix:///path.sock.")
    secret: SecretStr = Field(description="At least 32 characters; signs tokens and cursors.")
    issuer: str = Field(default="http://127.0.0.1:8000", description="This server's public URL.")
    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(default=8000, ge=1, le=65535, description="Port to listen on.")
    allowed_origins: str = Field(
        default="", description="Origins of browser dashboards, separated by commas."
    )
    trusted_proxies: str = Field(
        default="", description="Addresses and networks of proxies whose X-Forwarded-* count."
    )
    connections_per_address: int = Field(
        default=500, ge=10, description="Connections one address may have open to one process."
    )
    external_issuers: str = Field(
        default="", description="TOML file of other issuers whose tokens are taken."
    )
    database_pool: int = Field(default=10, ge=2, le=200, description="Connections per process.")

    cost_budget: int = Field(
        default=60_000_000,
        ge=50_000,
        description="Cost a client may spend at once; a page of 50 requests costs about 1 700.",
    )
    cost_per_second: float = Field(
        default=1_000_000, gt=0, description="Cost a client gets back every second."
    )

    metrics_token: SecretStr = Field(
        default=SecretStr(""),
        description="What /metrics demands; without it nobody reads them.",
    )
    metrics_without_token: bool = Field(
        default=False, description="Let this machine itself read /metrics without a token."
    )
    log_format: Literal["auto", "json", "text"] = Field(
        default="auto", description="How logs are written: readable in a terminal, JSON elsewhere."
    )

    @field_validator("database_url", "owner_database_url")
    @classmethod
    def _is_postgresql(cls, value: str, info: ValidationInfo) -> str:
        may_be_missing = info.field_name == "owner_database_url"
        if (value or not may_be_missing) and not value.startswith(("postgresql://", "postgres://")):
            raise ValueError("must start with postgresql://")
        return value

    @field_validator("valkey_url")
    @classmethod
    def _is_valkey(cls, value: str) -> str:
        schemes = ("valkey://", "valkeys://", "redis://", "rediss://", "unix://")
        if not value.startswith(schemes):
            raise ValueError("must start with valkey://, redis:// or unix://")
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, value: str) -> str:
        try:
            read_networks(value)
        except ValueError:
            raise ValueError(
                "must be addresses and networks like 10.0.0.7, 10.1.0.0/16, separated by commas"
            ) from None
        return value

    @field_validator("allowed_origins")
    @classmethod
    def _are_origins(cls, value: str) -> str:
        read_origins(value)
        return value

    @field_validator("external_issuers")
    @classmethod
    def _says_who_they_are(cls, value: str, given: ValidationInfo) -> str:
        own = str(given.data.get("issuer", "")).rstrip("/")
        if any(each.url.rstrip("/") == own for each in read_issuers(value)):
            raise ValueError("names this server's own issuer; its tokens are taken anyway")
        return value

    @field_validator("secret")
    @classmethod
    def _is_long(cls, value: SecretStr) -> SecretStr:
        if len(value.get_secret_value()) < 32:
            raise ValueError("must have at least 32 characters")
        return value

    @classmethod
    def read(cls, environment: Mapping[str, str] | None = None) -> Self:
        """Read the environment; raise WrongSettings with one sentence naming what is wrong."""
        environment = os.environ if environment is None else environment
        given = {key: value for key, value in environment.items() if key.startswith(PREFIX)}
        known = {PREFIX + name.upper() for name in cls.model_fields} | _NOT_SETTINGS
        for key in sorted(given.keys() - known):
            raise WrongSettings(f"未知的设置 {key} / {key} is not a setting of ITR Desk.")
        values = {key.removeprefix(PREFIX).lower(): value for key, value in given.items()}
        for name in _NOT_SETTINGS:
            values.pop(name.removeprefix(PREFIX).lower(), None)
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise WrongSettings(_sentence(error)) from None


def _sentence(error: ValidationError) -> str:
    first = error.errors(include_input=False, include_url=False)[0]
    name = PREFIX + str(first["loc"][0]).upper()
    if first["type"] == "missing":
        return f"缺少设置 {name} / {name} is missing."
    reason = first["msg"].removeprefix("Value error, ")
    return f"设置 {name} 有误 / {name} is wrong: {reason}."
