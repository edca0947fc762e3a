"""What `itr demo` says once it runs, on one screen: where it is, and who one may be."""

import base64
import shlex
import sys
from collections.abc import Mapping
from itertools import zip_longest
from pathlib import Path

from rich.cells import cell_len
from rich.console import Console

from api.oauth.keys import Keys
from cli.surroundings import DEFAULT_HOME
from itr.access.models import OAuthClient
from itr.access.terms import ClientKind
from itr.actors.roles import Role
from itr.database import connected
from itr.people.models import Person
from itr.people.operations import find_actor_for_role
from itr.settings import Settings

_CELL = 40
"""How wide a column of the table is."""
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
    """Print, on one screen, where it is, who one may be, and how to get a token."""
    address = settings.issuer
    emails, wallboard = await sign_ins_of(settings)
    console.rule("ITR Desk")
    _say(console, f"首页 start here  {address}/")
    _say(console, f"GraphiQL         {address}/graphql")
    _say(console, f"大屏 wallboard   {address}/device  client_id {wallboard}")
    _say(console, f"数据 home        {home}  (日志 logs: {home / 'logs'})")
    console.rule("登录 / sign in")
    for line in sign_in_table(emails):
        _say(console, line)
    _say(console, f"密码 password    {demo_password(settings)}  （人人相同 / the same for all)")
    console.rule("令牌 / tokens")
    _say(console, f"{_itr(home)} token --role LINE1    （另一终端 / in another terminal)")
    _say(console, "按 Ctrl-C 停止 / Ctrl-C stops everything it started.")


def sign_in_table(emails: Mapping[Role, str]) -> list[str]:
    """Who signs in how, two roles a line: what comes before the `@`, as all share the rest."""
    cells = [
        _padded(f"{email.partition('@')[0]}  {CHINESE[role]} {role.value}", _CELL)
        for role, email in emails.items()
    ]
    half = -(-len(cells) // 2)
    pairs = zip_longest(cells[:half], cells[half:], fillvalue="")
    first_role, first = next(iter(emails.items()))
    host = first.partition("@")[2]
    return [
        f"邮箱 e-mail: …@{host}，如 / as in {first} ({first_role.value})",
        *(f"{left}{right}".rstrip() for left, right in pairs),
    ]


def _padded(text: str, width: int) -> str:
    return text + " " * max(1, width - cell_len(text))


def _itr(home: Path) -> str:
    """How to call the command beside this Python, so that it finds this demonstration."""
    here, beside = Path.cwd(), Path(sys.executable).parent / "itr"
    name = "itr"
    if beside.exists():
        name = str(beside.relative_to(here) if beside.is_relative_to(here) else beside)
    usual = home == (here / DEFAULT_HOME)
    return name if usual else f"ITR_HOME={shlex.quote(str(home))} {name}"


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


def _say(console: Console, text: str) -> None:
    console.print(text, soft_wrap=True, markup=False, highlight=False, emoji=False)
