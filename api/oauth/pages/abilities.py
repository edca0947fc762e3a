"""What each scope lets a program do, in words for whoever is asked."""

from itr.access.scopes import BOARD, EMAIL, FULL, OPENID, PROFILE, READ

ABILITIES = {
    FULL: ("查看并处理您有权处理的一切", "see and do everything you may"),
    READ: ("查看您有权查看的一切", "see everything you may see"),
    BOARD: ("显示大屏数据", "show the wallboard's figures"),
    OPENID: ("知道您是谁", "know who you are"),
    PROFILE: ("知道您的姓名、角色和组织", "know your name, roles and organisation"),
    EMAIL: ("知道您的邮箱", "know your e-mail address"),
}
