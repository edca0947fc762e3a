"""What is wrong with a program's request, told to whoever develops it: which parameter, and why."""

from __future__ import annotations

from dataclasses import dataclass

from authlib.oauth2.rfc6749 import OAuth2Error

from api.oauth.server.authorization_server import DeskServer
from api.oauth.server.clients import Client

UNREADABLE = {
    "zh": "应用发来的登录请求无法读取：请检查各参数的编码，每个参数只能出现一次。",
    "en": (
        "The application's request to sign you in cannot be read: check how its parameters are"
        " encoded, and that each is given once."
    ),
}
INSECURE = {
    "zh": "登录需要 https：请将 ITR_ISSUER 设为 https 地址（本机地址除外）。",
    "en": "Signing in needs https: set ITR_ISSUER to an https address (except on this machine).",
}
_SINGLE = ("client_id", "redirect_uri", "response_type", "scope", "state")


@dataclass(frozen=True)
class Refusal:
    """Why nobody is sent back: the code, and a sentence that names the parameter."""

    code: str
    zh: str
    en: str


def refusal_of(server: DeskServer, error: OAuth2Error) -> Refusal:
    """What is wrong with a request whose address has not been found to be the client's."""
    zh, en = _sentences(server)
    return Refusal(error.error or "invalid_request", zh, en)


def _sentences(server: DeskServer) -> tuple[str, str]:
    payload = server.request.payload
    repeated = [name for name in _SINGLE if len(payload.datalist.get(name, [])) > 1]
    if repeated:
        name = repeated[0]
        return f"参数 {name} 出现了多次。", f"The parameter {name} is given more than once."
    for name in ("client_id", "redirect_uri"):
        if not payload.data.get(name):
            return f"缺少参数 {name}。", f"The parameter {name} is missing."
    client = server.query_client(payload.client_id)
    if not isinstance(client, Client):
        return (
            "参数 client_id 不正确：没有登记这样的应用，或它已停用。",
            "The parameter client_id is wrong: no such application is registered, or it has been"
            " switched off.",
        )
    if not client.check_redirect_uri(payload.redirect_uri):
        return (
            "参数 redirect_uri 不正确：它不在该应用登记的回调地址之中（逐字比对）。",
            "The parameter redirect_uri is wrong: it is none of the addresses registered for this"
            " application, letter by letter.",
        )
    return UNREADABLE["zh"], UNREADABLE["en"]
