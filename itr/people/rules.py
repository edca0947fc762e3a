"""What must be true of people and organisations, whoever changes them (R-ORG-01, R-ROLE-01)."""

from collections.abc import Collection

from itr.actors.roles import OrganisationKind, Role
from itr.errors import DomainError, InvalidInput, PathItem

LANGUAGES = ("zh", "en")
ROLES_OUTSIDE = {
    OrganisationKind.CUSTOMER: frozenset({Role.CUSTOMER}),
    OrganisationKind.PARTNER: frozenset({Role.PARTNER}),
}
ROLES_INSIDE = frozenset(Role) - {Role.CUSTOMER, Role.PARTNER}


class RoleNotForOrganisation(DomainError):
    """Customers' people are customers, partners' are partners, all other roles are our own."""

    code = "ROLE_NOT_FOR_ORGANISATION"
    zh = "角色 {role} 不能授予 {kind} 类组织的人员。"
    en = "The role {role} cannot be held by a person of a {kind} organisation."


class WrongOrganisation(DomainError):
    """An organisation of another kind was needed (R-ORG-01)."""

    code = "WRONG_ORGANISATION"
    zh = "此处需要 {kind} 类组织。"
    en = "This must be an organisation of kind {kind}."


class NotOfOrganisation(DomainError):
    """A person of another organisation cannot stand here."""

    code = "NOT_OF_ORGANISATION"
    zh = "此人不属于该组织。"
    en = "This person does not belong to the organisation."


class NoSuchLine(DomainError):
    """There are three lines (R-LIN-01)."""

    code = "NO_SUCH_LINE"
    zh = "支持线只能是 1、2 或 3。"
    en = "A line is 1, 2 or 3."


class LastAdmin(DomainError):
    """Somebody has to be left who administers."""

    code = "LAST_ADMIN"
    zh = "这是最后一位在职管理员，请先任命另一位。"
    en = "This is the last active administrator; appoint another one first."


class OwnRole(DomainError):
    """Nobody gives themselves a role: another administrator does."""

    code = "OWN_ROLE"
    zh = "不能给自己授予角色，请由另一位管理员授予。"
    en = "You cannot give yourself a role; another administrator can."


class OwnErasure(DomainError):
    """Nobody erases themselves: another administrator asks, a second person approves."""

    code = "OWN_ERASURE"
    zh = "不能删除自己的个人数据，请由另一位管理员申请。"
    en = "You cannot erase yourself; another administrator can ask for it."


class MachineHasNoData(DomainError):
    """Machines are nobody: what they are called is no personal data."""

    code = "MACHINE_HAS_NO_DATA"
    zh = "机器账号没有个人数据；如不再需要，请停用。"
    en = "A machine has no personal data; deactivate it when it is no longer needed."


class PersonErased(DomainError):
    """Who was erased is nobody any more, for good."""

    code = "PERSON_ERASED"
    zh = "此人的个人数据已删除，不能再更改或恢复。"
    en = "This person was erased; nothing of them can be changed or brought back."


class AdminExists(DomainError):
    """There is an administrator already."""

    code = "ADMIN_EXISTS"
    zh = "已有在职管理员。"
    en = "There is an active administrator already."


def ensure_roles_fit(kind: OrganisationKind, roles: Collection[Role], *path: PathItem) -> None:
    """Refuse roles that people of such an organisation cannot hold (R-ROLE-01, R-ROLE-03)."""
    allowed = ROLES_OUTSIDE.get(kind, ROLES_INSIDE)
    for role in sorted(roles):
        if role not in allowed:
            raise RoleNotForOrganisation(path=path, role=role.value, kind=kind.value)


def ensure_kind(kind: OrganisationKind, wanted: OrganisationKind, *path: PathItem) -> None:
    """Refuse an organisation of another kind."""
    if kind is not wanted:
        raise WrongOrganisation(path=path, kind=wanted.value)


def ensure_line(line: int, *path: PathItem) -> int:
    """Refuse a line there is not (R-LIN-01)."""
    if line not in {1, 2, 3}:
        raise NoSuchLine(path=path)
    return line


def ensure_language(language: str, *path: PathItem) -> str:
    """Refuse a language the product does not speak."""
    if language not in LANGUAGES:
        raise InvalidInput(
            path=path, zh_reason="语言只能是 zh 或 en。", en_reason="The language is zh or en."
        )
    return language
