"""What `itr demo` says once it runs: where it is, who one may be, and what one may ask."""

import base64
import json
import shlex
from pathlib import Path

from rich.console import Console

from api.oauth.keys import KeyRing, Keys
from api.oauth.tokens import issue_token
from itr.access.models import OAuthClient
from itr.access.operations.signing_keys import generations
from itr.access.terms import ClientKind
from itr.database import connected
from itr.people.models import Person
from itr.people.operations import find_actor_for_role
from itr.people.roles import Role
from itr.settings import Settings

EXAMPLES = (
    (
        "我是谁 / Who am I",
        Role.CUSTOMER,
        "{ viewer { actor { name } roles organisation { name } } }",
    ),
    (
        "十个最近的请求及其时限 / Ten requests with their clocks",
        Role.LINE1,
        "{ requests(first: 10) { totalCount nodes { number title status priority "
        "customer { name } clocks { thread state deadline remaining } } } }",
    ),
    (
        "暂停中的时钟为何暂停 / Why each clock counted or not",
        Role.PROCESS_MANAGER,
        "{ requests(first: 1, filter: { status: { eq: WAITING } }) { nodes { number "
        "clocks { thread state elapsed explain { from to counted reason } } } } }",
    ),
)

CHINESE = {
    Role.CUSTOMER: "客户",
    Role.PARTNER: "合作伙伴/供应商",
    Role.LINE1: "一线/热线",
    Role.LINE2: "二线/TAC、GTAC",
    Role.LINE3: "三线/研发维护",
    Role.LINE_LEAD: "组长",
    Role.FIELD_ENGINEER: "现场工程师",
    Role.DISPATCH_MANAGER: "服务调度经理",
    Role.SPARES_MANAGER: "备件经理",
    Role.QUALITY_CONTROLLER: "质控专员/回访员",
    Role.COMPLAINT_HANDLER: "投诉处理人",
    Role.PROJECT_MANAGER: "项目经理",
    Role.CATALOGUE_MANAGER: "服务产品/营销经理",
    Role.SALES_SUPPORT: "销售支持",
    Role.BRANCH_MANAGER: "分公司经理",
    Role.ANALYST: "综合分析",
    Role.PROCESS_MANAGER: "流程经理",
    Role.OPERATIONS_DIRECTOR: "运营总监",
    Role.WALLBOARD: "大屏",
    Role.ADMIN: "管理员",
}


async def print_welcome(console: Console, settings: Settings, *, home: Path) -> None:
    """Print addresses, a sign-in per role and example queries that can be pasted into a shell."""
    address = settings.issuer
    tokens = await tokens_of(settings)
    emails, wallboard = await sign_ins_of(settings)
    console.rule("ITR Desk")
    _say(console, f"GraphiQL  {address}/graphql")
    _say(console, f"健康检查  {address}/healthz    (health)")
    _say(console, f"数据目录  {home}    (home: data and logs)\n")
    console.rule("登录 GraphiQL / sign in there")
    for role, email in emails.items():
        _say(console, f"{email}  {CHINESE[role]} {role.value}")
    _say(console, f"密码 password  {demo_password(settings)}")
    _say(console, f"大屏 wallboard  client_id {wallboard}, {address}/device\n")
    console.rule("各角色的令牌 / one sign-in per role: Authorization: Bearer …")
    for role, token in tokens.items():
        _say(console, f"{CHINESE[role]} {role.value}\n  {token}")
    console.rule("示例，可直接粘贴 / examples to paste")
    for title, role, query in EXAMPLES:
        _say(console, f"# {title} ({role.value})")
        _say(console, curl(f"{address}/graphql", token=tokens[role], query=query) + "\n")
    _say(console, "按 Ctrl-C 停止 / Ctrl-C stops everything it started.")


async def tokens_of(settings: Settings) -> dict[Role, str]:
    """One token per role, for the first person who holds it."""
    async with connected(settings):
        actors = {role: await find_actor_for_role(role) for role in Role}
        ring = KeyRing(Keys.of(settings), await generations())
    return {
        role: issue_token(settings, actor.id, ring=ring) for role, actor in actors.items() if actor
    }


async def sign_ins_of(settings: Settings) -> tuple[dict[Role, str], str]:
    """The e-mail address of the first person of each role who has one, and the wallboard's id."""
    async with connected(settings):
        emails = {}
        for role in Role:
            actor = await find_actor_for_role(role)
            person = await Person.get(id=actor.id) if actor else None
            if person is not None and person.email and person.password_hash:
                emails[role] = person.email
        board = await OAuthClient.filter(kind=ClientKind.WALLBOARD, active=True).first()
    return emails, board.client_id if board else "–"


def demo_password(settings: Settings) -> str:
    """The password of everybody in the demonstration: this installation's own, the same again."""
    letters = base64.b32encode(Keys.of(settings).secret_for("demonstration password")).decode()
    return "-".join(letters.lower()[start : start + 4] for start in range(0, 16, 4))


def curl(url: str, *, token: str, query: str) -> str:
    """Return a command line that sends this query."""
    body = json.dumps({"query": query}, ensure_ascii=False)
    words = ["curl", "-s", url, "-H", f"Authorization: Bearer {token}"]
    words += ["-H", "Content-Type: application/json", "-d", body]
    return shlex.join(words)


def _say(console: Console, text: str) -> None:
    console.print(text, soft_wrap=True, markup=False, highlight=False, emoji=False)
