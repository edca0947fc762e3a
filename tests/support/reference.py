"""Lifecycle, codes and events as a page of the documents: `python -m tests.support.reference`."""

import re
from collections.abc import Iterator

from api.resolvers import root  # noqa: F401 - whoever refuses is loaded with it
from api.schema.error_codes import ERRORS
from api.schema.requests.timeline_words import FACTS
from api.schema.tickets.verbs import owners, states
from itr.requests.lifecycle import RequestVerb

_HEAD = """\
# 速查 / Reference

由代码生成，勿手改；`viewerCan` 说明当前用户此刻能做哪些动作。
Generated from the code, not edited by hand; `viewerCan` says which of the verbs you may use now.

```sh
python -m tests.support.reference > docs/reference.md
```
"""
_LIFECYCLE = """
## 生命周期 / Lifecycle

每行一个动作：做什么，在哪些状态可用，通向哪里，需要何种权限（谁有，见 [roles.md](roles.md)）、
只属于谁、还需要什么。至一栏的 `–` 表示状态不变；与状态并列时，有时不变。
A verb a row: what it does, in which states it may be used, where it leads, which permission it
takes (who has it: [roles.md](roles.md)) and whose alone it is, what else it needs. `–` under “to”:
the state stays; beside states: sometimes it stays.

| 动作 / verb | 说明 / what it does | 自 / from | 至 / to | 权限 / permission | 需要 / needs |
|---|---|---|---|---|---|"""
_CODES = """
## 业务错误码 / Codes of `userErrors`

预期的失败；`message` 是按读者语言写的这句话，`{…}` 处为具体值。
Expected failures; `message` is this sentence in the reader's language, with values at `{…}`.

| 代码 / code | 中文 | English |
|---|---|---|"""
_EVENTS = """
## 时间线事件 / Timeline events

`timeline` 与实时源中的事实（`fact`）；各有自己的类型，带有它所涉及的字段。
The facts (`fact`) of `timeline` and of the feeds; each has a type of its own with what it names.

| `fact` | 类型 / type | 中文 | English |
|---|---|---|---|"""


def reference() -> str:
    """`docs/reference.md`, from the tables in the code."""
    parts = [_HEAD.rstrip("\n"), _LIFECYCLE, *_verbs(), _CODES, *_codes(), _EVENTS, *_events()]
    return "\n".join([*parts, ""])


def _verbs() -> Iterator[str]:
    for verb in RequestVerb:
        it = verb.declared
        leads = f"{states(it.to)} –" if it.may_stay else states(it.to)
        alone = f" ({owners(it)})" if owners(it) else ""
        needs = "–" if it.needs is None else " / ".join(it.needs)
        zh, en = it.called
        does = f"{zh} / {_cell(it.does or en)}"
        cells = (does, states(it.from_states), leads, f"`{it.permission}`{alone}", needs)
        yield f"| `{verb}` | {' | '.join(cells)} |"


def _codes() -> Iterator[str]:
    for code, error in ERRORS.items():
        yield f"| `{code}` | {_cell(error.zh)} | {_cell(error.en)} |"


def _events() -> Iterator[str]:
    for fact, told in FACTS.items():
        english, _, chinese = told.rpartition(" ")
        name = re.sub("([a-z0-9])([A-Z])", r"\1_\2", fact).upper()
        yield f"| `{name}` | `{fact}Event` | {chinese} | {english} |"


def _cell(text: str) -> str:
    return text.replace("|", r"\|").replace("\n", " ")


if __name__ == "__main__":
    print(reference(), end="")  # noqa: T201
