"""The role→permission table as a page of the documents: `python -m tests.support.role_table`."""

from itr.actors.policy import GRANTS
from itr.actors.roles import Permission, Role


def role_table() -> str:
    """`docs/roles.md`, from the one table in the code."""
    lines = [
        "# 角色与权限 / Roles and permissions",
        "",
        "由 `itr/actors/policy.py` 生成；一人可有多个角色，权限取并集。",
        "Generated from `itr/actors/policy.py`; a person may hold several roles, "
        "permissions are the union.",
        "",
        "```sh",
        "python -m tests.support.role_table > docs/roles.md",
        "```",
        "",
        "| 权限 / permission | 角色 / roles |",
        "|---|---|",
    ]
    for permission in Permission:
        holders = [f"`{role.value}`" for role in Role if permission in GRANTS[role]]
        lines.append(f"| `{permission.value}` | {' '.join(holders) or '–'} |")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    print(role_table(), end="")  # noqa: T201
