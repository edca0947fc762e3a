"""Where the commands find the product: the environment, or the demo that runs in ITR_HOME."""

import os
from collections.abc import Mapping
from pathlib import Path

from embedded.errors import ServersFailed
from embedded.servers import find_running
from itr.settings import Settings, WrongSettings

DEFAULT_HOME = ".itr"


def home_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Return ITR_HOME, by default `.itr` in the current folder."""
    return Path(environment.get("ITR_HOME") or DEFAULT_HOME).expanduser().absolute()


def settings_of_running() -> Settings:
    """Return the environment's settings, or without ITR_DATABASE_URL those of the running demo."""
    if "ITR_DATABASE_URL" in os.environ:
        return Settings.read()
    try:
        running, keys = find_running(home_folder())
    except ServersFailed as error:
        raise WrongSettings(str(error)) from None
    found = {
        "ITR_DATABASE_URL": running.database_url or "",
        "ITR_VALKEY_URL": running.valkey_url or "",
        "ITR_SECRET": keys.secret,
        "ITR_ISSUER": running.address or "",
    }
    return Settings.read(found | os.environ)


def asked_port(environment: Mapping[str, str] = os.environ) -> int:
    """Return the port asked for: PORT (as in `make run PORT=9000`), else ITR_PORT, else 8000."""
    name = "PORT" if environment.get("PORT") else "ITR_PORT"
    text = environment.get(name) or "8000"
    if not text.isascii() or not text.isdecimal() or not 1 <= int(text[:6]) <= 65535:
        raise WrongSettings(
            f"设置 {name} 应为 1 到 65535 的端口号 / {name} must be a port from 1 to 65535."
        )
    return int(text)
