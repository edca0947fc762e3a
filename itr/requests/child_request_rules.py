"""Requests that belong together: parents and children, duplicates (R-REQ-09, R-REQ-13)."""

from collections.abc import Collection, Sequence
from uuid import UUID

from itr.errors import DomainError, PathItem, Required, refuse
from itr.requests.lifecycle import RequestVerb
from itr.requests.models import Request
from itr.requests.rules import OPEN
from itr.tickets.verbs import MoveNotAllowed

MOST_CHILDREN = 20


class IsChild(DomainError):
    """Families have two generations."""

    code = "IS_CHILD"
    zh = "子请求不能再拆分或合并。"
    en = "A child request is neither split nor merged."


class NoLeadOwner(DomainError):
    """A request touching several products has one lead owner (R-REQ-09)."""

    code = "NO_LEAD_OWNER"
    zh = "请求尚无责任人，不能拆分。"
    en = "Nobody owns the request yet; it needs a lead owner before it is split."


class ProductRepeated(DomainError):
    """One child per product (R-REQ-09)."""

    code = "PRODUCT_REPEATED"
    zh = "每个产品只能有一个子请求。"
    en = "There is one child per product."


class TooManyChildren(DomainError):
    """More products than one request can lead."""

    code = "TOO_MANY_CHILDREN"
    zh = "一个请求最多 {limit} 个子请求。"
    en = "A request has at most {limit} children."


class ChildrenOpen(DomainError):
    """The parent cannot close, nor be merged, before its children (R-REQ-09)."""

    code = "CHILDREN_OPEN"
    zh = "仍有 {count} 个子请求未关闭。"
    en = "Some of its child requests are still open: {count}."


class ParentEnded(DomainError):
    """A child does not go on after its parent."""

    code = "PARENT_ENDED"
    zh = "父请求已结束，请先重新打开父请求。"
    en = "The parent request has ended; reopen it first."


class FollowsParent(DomainError):
    """A child has the priority of its parent (R-REQ-09)."""

    code = "FOLLOWS_PARENT"
    zh = "子请求随父请求分类，请对父请求重新分类。"
    en = "A child is classified with its parent; reclassify the parent."


class SameRequest(DomainError):
    """Nothing is its own duplicate."""

    code = "SAME_REQUEST"
    zh = "不能将请求合并到自身。"
    en = "A request is not its own duplicate."


class OtherCustomer(DomainError):
    """Duplicates are of one customer (R-REQ-13)."""

    code = "OTHER_CUSTOMER"
    zh = "只能合并同一客户的请求。"
    en = "Only requests of the same customer are merged."


class EmergencyIsNoDuplicate(DomainError):
    """An emergency survives; the other request is the duplicate."""

    code = "EMERGENCY_SURVIVES"
    zh = "紧急恢复的请求应保留，请将另一请求合并到它。"
    en = "An emergency is the one that stays; merge the other request into it."


def ensure_splits(
    parent: Request, products: Sequence[UUID], taken: Collection[UUID | None]
) -> None:
    """Refuse a family without a lead owner, of three generations, or with a product twice."""
    if parent.parent_id is not None:
        raise IsChild()
    if parent.assignee_id is None:
        raise NoLeadOwner()
    if not products:
        raise Required(path=["children"])
    if len(products) + len(taken) > MOST_CHILDREN:
        raise TooManyChildren(limit=MOST_CHILDREN, path=["children"])
    seen = set(taken)
    repeated: list[DomainError] = []
    for place, product in enumerate(products):
        if product in seen:
            path: list[PathItem] = ["children", place, "productId"]
            repeated.append(ProductRepeated(path=path))
        seen.add(product)
    refuse(repeated)


def ensure_no_open_children(count: int) -> None:
    """Refuse to end a request while parts of it are open (R-REQ-09)."""
    if count:
        raise ChildrenOpen(count=count)


def ensure_merges(duplicate: Request, survivor: Request) -> None:
    """Refuse a pair of which the one does not stand for the other (R-REQ-13)."""
    if duplicate.id == survivor.id:
        raise SameRequest(path=["survivorId"])
    if duplicate.customer_id != survivor.customer_id:
        raise OtherCustomer(path=["survivorId"])
    if duplicate.parent_id is not None:
        raise IsChild(path=["duplicateId"])
    if survivor.parent_id is not None:
        raise IsChild(path=["survivorId"])
    if duplicate.emergency:
        raise EmergencyIsNoDuplicate(path=["duplicateId"])
    if survivor.status not in OPEN:
        raise MoveNotAllowed(
            current=survivor.status.value, verb=RequestVerb.MERGE.value, path=["survivorId"]
        )


CHILD_ENDS_WITH_PARENT = RequestVerb.CANCEL.declared.from_states
"""States in which a child is cancelled with its parent."""
