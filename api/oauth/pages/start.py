"""`/`: what this is, and where everything else is."""

from __future__ import annotations

from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from api.oauth.pages.issuer_address import at_issuer
from api.oauth.pages.rendering import kept, page

DOCS = Path(__file__).parents[3] / "docs"
"""The guides, where the product runs from its source; an installed one has none beside it."""
GUIDES = {
    "front-end": ("前端团队", "Front-end teams"),
    "sign-in": ("登录与令牌", "Signing in and tokens"),
    "reference": ("速查：生命周期、代码、事件", "Reference: lifecycle, codes, events"),
    "partners": ("合作伙伴", "Partner firms"),
    "wallboards": ("大屏", "Wallboards"),
    "import": ("导入历史", "Importing a past"),
    "roles": ("角色与权限", "Roles and permissions"),
    "operations": ("运维", "Operations"),
    "performance": ("性能", "Performance"),
}
"""The pages of docs/ by name, and whom each is for."""


@at_issuer
async def start(request: Request) -> Response:
    """The page somebody sees who opens the bare address."""
    guides = {name: told for name, told in GUIDES.items() if _file(name).is_file()}
    return page(request, "start", guides=guides)


async def guide(request: Request) -> Response:
    """A page of the docs as it is written."""
    name = request.path_params["name"]
    if name not in GUIDES or not _file(name).is_file():
        return Response(status_code=404)
    return kept(_file(name).read_text(encoding="utf-8"), "text/plain")


def _file(name: str) -> Path:
    return DOCS / f"{name}.md"


ROUTES = [Route("/", start), Route("/docs/{name}.md", guide)]
