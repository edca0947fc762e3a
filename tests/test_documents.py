"""Documents say what the code does."""

from __future__ import annotations

import re
import shlex
from typing import Any

import pytest
from pydantic import SecretStr
from typer.main import get_command

from api.oauth.issuer_http import LARGEST_ANSWER, PATIENCE
from api.planner.filters import MOST_CONDITIONS, MOST_GROUPS
from api.planner.pages import DEFAULT_PAGE, LARGEST_PAGE, MOST_ORDERS
from api.resolvers import boards, notifications
from api.schema.catalogue.inputs import BULK
from api.schema.sla.types import EXPLAINED, MOST_EXPLAINED
from api.serving.admission import ConnectionLimits
from api.serving.file_handles import needed
from api.transport.coercion import FAULTS
from api.transport.errors import SENTENCES
from api.transport.limits import Limits
from api.transport.usage import FLUSH_SECONDS
from api.transport.watching import SLOW_SECONDS
from api.working_out import SECONDS
from cli.demo import DEV_SERVER_PORTS
from cli.main import app
from itr.access.rules import ACCESS_LIFETIME, REFRESH_LIFETIME, SESSION_LIFETIME
from itr.access.terms import ClientKind
from itr.events.work import KEYS_KEPT
from itr.settings import PREFIX, Settings
from tests.support.pages import HOUSE, examples, metrics_on_the_page, pages, text_of
from tests.support.reference import reference
from tests.support.role_table import role_table
from workers.timers import POLL

DECISIONS = [
    path
    for path in sorted((HOUSE / "docs" / "decisions").glob("0*.md"))
    if not path.name.endswith(".zh.md")
]
IN_ENGLISH = [
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "docs/decisions/README.md",
    *(str(path.relative_to(HOUSE)) for path in DECISIONS),
]
"""Documents for developers, each with a Chinese file beside it."""
EVERY_PAGE = [
    *pages(),
    *IN_ENGLISH,
    *(page.removesuffix(".md") + ".zh.md" for page in IN_ENGLISH),
]
PACKAGES = ("api", "itr", "workers", "cli", "embedded", "bench", "migrations", "tests")


def test_the_roles_page_is_the_one_table_of_the_code() -> None:
    """R-ROLE-02: one table, in code, printed in the docs."""
    assert text_of("docs/roles.md") == role_table()


def test_the_reference_on_the_page_is_that_of_the_code() -> None:
    """Issue 9, 4: lifecycle, codes and events are generated; its command renews the page."""
    assert text_of("docs/reference.md") == reference()


@pytest.mark.parametrize("page", [each for each in EVERY_PAGE if "decisions" not in each])
def test_no_rule_is_named_by_its_number_where_newcomers_read(page: str) -> None:
    """Issue 9, 4: what a rule says stands on the page, not what it is called in the design."""
    assert re.findall(r"\bR-[A-Z]{2,}-\d+", text_of(page)) == []


@pytest.mark.parametrize("page", sorted({*pages()} - {"docs/performance.md"}))
def test_every_point_of_a_list_is_made_in_both_languages(page: str) -> None:
    """Issue 9, 4: Chinese first, English beside."""
    prose = re.sub(r"^```.*?^```$", "", text_of(page), flags=re.DOTALL | re.MULTILINE)
    points = re.findall(r"^(?:- |\d+\. ).+(?:\n +.+)*", prose, re.MULTILINE)
    plain = [re.sub(r"`[^`]*`", "", point) for point in points]

    assert [each for each in plain if not re.search(r"[一-鿿].*[a-z]+[ ,]", each, re.S)] == []


def test_every_row_of_the_reference_is_told_in_both_languages() -> None:
    """Issue 9, 4: Chinese first, English beside."""
    rows = [row for row in reference().splitlines() if row.startswith("| `")]
    sections = reference().split("\n## ")
    told = [row for part in sections[2:] for row in part.splitlines() if row.startswith("| `")]

    assert len(rows) > 150
    assert [row for row in told if not re.search(r"([一-鿿]|{zh_).*\| [^|]*[a-zA-Z]", row)] == []


def test_the_settings_page_is_the_settings_with_their_defaults() -> None:
    rows = re.findall(r"^\| `(ITR_\w+)` \| (.+?) \|", text_of("docs/operations.md"), re.MULTILINE)

    assert dict(rows) == {
        PREFIX + name.upper(): default_of(field) for name, field in Settings.model_fields.items()
    }


def default_of(field: Any) -> str:
    """A setting's default as the page writes it."""
    if field.is_required():
        return "必填 / required"
    plain = getattr(field.default, "get_secret_value", lambda: field.default)()
    return f"`{plain}`" if plain not in ("", None) else "–"


def test_every_code_of_an_error_is_explained() -> None:
    section = text_of("docs/front-end.md").split("## 错误 / Errors")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (`.+?`) \|", section, re.MULTILINE)

    assert {code for row in rows for code in re.findall(r"`(\w+)`", row)} == set(SENTENCES)


LIMITS = Limits()
CONNECTIONS = ConnectionLimits()
HANDLES = needed(
    Settings(database_url="postgresql://", valkey_url="unix://", secret=SecretStr("s" * 32))
)


@pytest.mark.parametrize(
    ("page", "said"),
    [
        ("front-end.md", f"cost, else `TOO_COMPLEX` | {LIMITS.cost:_} |"),
        ("front-end.md", f"a page, one `nodes(ids:)` | {LARGEST_PAGE} |"),
        ("front-end.md", f"levels of nesting | {LIMITS.depth} |"),
        ("front-end.md", f"aliases | {LIMITS.aliases} |"),
        ("front-end.md", f"fields at the root | {LIMITS.fields_at_root} |"),
        ("front-end.md", f"mutations | {LIMITS.mutations_at_once} |"),
        ("front-end.md", f"characters of the document | {LIMITS.document_characters:_} |"),
        ("front-end.md", f"tokens of the document | {LIMITS.tokens:_} |"),
        ("front-end.md", f"operations in a document | {LIMITS.operations} |"),
        ("front-end.md", f"fragments in a document | {LIMITS.fragments} |"),
        ("front-end.md", f"wherever they are spread | {LIMITS.fields:_} |"),
        ("front-end.md", f"of one name in one selection | {LIMITS.repeats_of_a_field} |"),
        ("front-end.md", f"variables, else `BAD_INPUT` | {LIMITS.input_nodes:_} |"),
        ("front-end.md", f"a calendar or a contract to save | {BULK:_} |"),
        ("front-end.md", f"levels of a variable | {LIMITS.input_depth} |"),
        ("front-end.md", f"a list in the variables | {LIMITS.list_items:_} |"),
        ("front-end.md", f"digits of a number | {LIMITS.digits} |"),
        ("front-end.md", f"conditions of a filter | {MOST_CONDITIONS} |"),
        ("front-end.md", f"groups of conditions | {MOST_GROUPS} |"),
        ("front-end.md", f"terms of an order | {MOST_ORDERS} |"),
        ("front-end.md", f"a page of `explain` | {MOST_EXPLAINED} |"),
        ("front-end.md", f"{MOST_EXPLAINED} intervals at most, {EXPLAINED} without `first`"),
        ("front-end.md", f"else `TOO_LONG_A_STORY` | {SECONDS:g} |"),
        ("front-end.md", f"{FAULTS} places at most are told at once"),
        ("front-end.md", f"bytes of the body | {LIMITS.body_bytes:_} |"),
        ("front-end.md", f"seconds, else `TIMEOUT` | {LIMITS.operation_seconds:g} |"),
        ("front-end.md", f"connections of a person at once | {LIMITS.sockets_per_actor} |"),
        ("front-end.md", f"operations on a WebSocket | {LIMITS.operations_per_socket} |"),
        ("front-end.md", f"`first/after` 或 `last/before`，最多 {LARGEST_PAGE}"),
        ("front-end.md", f"The same key within {KEYS_KEPT.total_seconds() / 3600:g} h"),
        ("front-end.md", f"the snapshot lists the newest {notifications.LISTED}"),
        ("front-end.md", f"At most {boards.BOARD.listed}, most urgent first"),
        ("front-end.md", f"100 at most, {DEFAULT_PAGE} when"),
        ("sign-in.md", "、".join(map(str, DEV_SERVER_PORTS))),
        ("sign-in.md", f"Access tokens last {ACCESS_LIFETIME.seconds // 60} minutes"),
        ("partners.md", f"Tokens last {ACCESS_LIFETIME.seconds // 60} minutes"),
        ("wallboards.md", f"less than {REFRESH_LIFETIME[ClientKind.WALLBOARD].days} days"),
        ("operations.md", f"for {PATIENCE:g} seconds and {LARGEST_ANSWER // 1024} KB at most"),
        ("operations.md", f"lasts {SESSION_LIFETIME.total_seconds() / 3600:g} hours at most"),
        ("sign-in.md", f"go on for {SESSION_LIFETIME.total_seconds() / 3600:g} hours after it"),
        ("operations.md", f"A head comes within {CONNECTIONS.head_seconds:g} seconds"),
        ("operations.md", f"a body within {CONNECTIONS.body_seconds:g};"),
        ("operations.md", f"idles for {CONNECTIONS.idle_seconds:g} seconds at most; a"),
        ("operations.md", f"head has {CONNECTIONS.head_bytes // 1024} KB."),
        ("operations.md", f"3 × `ITR_DATABASE_POOL` + {HANDLES - 30}, by default {HANDLES}"),
        ("operations.md", f"Operations over {SLOW_SECONDS:g} s"),
        ("operations.md", f"counts are written every {FLUSH_SECONDS:g} s"),
        ("operations.md", f"polling PostgreSQL every {POLL:g} s"),
    ],
)
def test_figures_on_a_page_are_those_of_the_code(page: str, said: str) -> None:
    assert said.replace("_", " ") in text_of(f"docs/{page}").replace("_", " ")


def commands() -> list[str]:
    """Every command of `itr` on a page: in examples, and in the running text."""
    shown = [each.text for each in examples("sh", "console")]
    lines = [part for text in shown for line in text.splitlines() for part in line.split("&&")]
    said = [each for page in pages() for each in re.findall(r"`(itr [^`]+)`", text_of(page))]
    found = [line.strip().removeprefix("$ ") for line in lines] + said
    return sorted({each for each in found if each.startswith("itr ")})


@pytest.mark.parametrize("command", commands())
def test_commands_on_a_page_are_those_of_the_program(command: str) -> None:
    words = shlex.split(re.sub(r"[\[\]]", "", command), comments=True)[1:]
    known: Any = get_command(app)
    while hasattr(known, "commands"):
        assert words, f"{known.name} needs a command"
        known = known.commands[words.pop(0)]
    options = {option for each in known.params for option in each.opts}

    assert {word for word in words if word.startswith("--")} <= options


def test_the_readme_lists_every_command_of_the_program() -> None:
    rows = re.findall(r"^\| (`itr .*?) \|", text_of("README.md"), re.MULTILINE)
    listed = re.findall(r"`(itr[^`]*)`", " ".join(rows))

    missing = [
        name
        for name in names_of(get_command(app), "itr")
        if not any(f"{each} ".startswith(f"{name} ") for each in listed)
    ]
    assert missing == []


def names_of(command: Any, name: str) -> list[str]:
    """What a command, or each command of a group, is called by."""
    within = getattr(command, "commands", None)
    if within is None:
        return [name]
    return [full for word, each in within.items() for full in names_of(each, f"{name} {word}")]


@pytest.mark.parametrize("page", EVERY_PAGE)
def test_files_and_links_on_a_page_are_there(page: str) -> None:
    text = text_of(page)
    linked = [each.split("#")[0] for each in re.findall(r"\]\((?!http)([^)]+)\)", text)]
    named = re.findall(r"`((?:api|itr|workers|tests|docs|bench|cli|mappings)/[\w/.-]+)", text)
    named += [
        f"{module.replace('.', '/')}.py" for module in re.findall(r"-m (tests\.[\w.]+)", text)
    ]
    named += re.findall(r"`([\w/.-]+\.py)::", text)
    defined = re.findall(r"`([\w/.-]+\.py)::(\w+)", text)
    folder = (HOUSE / page).parent

    assert [each for each in linked if not (folder / each).exists()] == []
    assert [each for each in named if not (HOUSE / each).exists()] == []
    assert [each for each in defined if not is_defined(*each)] == []


def is_defined(file: str, name: str) -> bool:
    """Whether a file defines a function, a class or a constant of this name."""
    return (
        re.search(rf"^\s*(async )?(def|class) {name}\b|^{name}\b", text_of(file), re.M) is not None
    )


def known_words() -> set[str]:
    """Every word of the program, its tests and its schema."""
    files = [path for package in PACKAGES for path in (HOUSE / package).rglob("*.py")]
    files += [HOUSE / "api/schema/schema.graphql", HOUSE / "pyproject.toml", HOUSE / "compose.yaml"]
    words = {word for path in files for word in re.findall(r"\w+", path.read_text("utf-8"))}
    return words | {PREFIX + name.upper() for name in Settings.model_fields} | OF_OTHERS


OF_OTHERS = {"HTTPS_PROXY", "LimitNOFILE", "verification_uri_complete"}
"""Words of httpx2, of systemd and of OAuth."""
JOINED = re.compile(
    r"\b(?:[a-z]+[a-z0-9]*(?:[A-Z][a-z0-9]+)+|[A-Z][A-Z0-9]+(?:_[A-Z0-9]+)+|[a-z]+(?:_[a-z]+)+)\b"
)
"""camelCase, UPPER_CASE and lower_case names: not plain words."""
METRICS = metrics_on_the_page()
"""Compared with what the server says where it is asked, in tests/api/transport/test_watching.py."""


def test_names_on_the_pages_are_names_of_the_product() -> None:
    """What looks like a field, a constant or a function is one; an ellipsis ends a family."""
    known = known_words()
    stale = []
    for page in EVERY_PAGE:
        prose = re.sub(r"^```.*?^```$", "", text_of(page), flags=re.DOTALL | re.MULTILINE)
        for code in re.findall(r"`([^`\n/]+)`", prose):
            for name in set(JOINED.findall(code)) - METRICS:
                family = f"{name}…" in code or f"{name}_…" in code
                there = any(word.startswith(name) for word in known) if family else name in known
                if not there:
                    stale.append((page, name))

    assert stale == []


def shape_of(text: str) -> list[str]:
    """The headings, points, rows and examples of a page, in order, by their kinds."""
    marks = re.findall(r"^(#+ |- |\d+\. |\| |```\w*)", text, re.MULTILINE)
    return [re.sub(r"\d+", "1", mark) for mark in marks]


@pytest.mark.parametrize("page", IN_ENGLISH)
def test_a_document_for_developers_is_english_with_the_same_in_chinese_beside_it(page: str) -> None:
    """Not line by line."""
    english, chinese = text_of(page), text_of(page.removesuffix(".md") + ".zh.md")
    quoted = re.sub(r"“[^”]*”|中文：\[[^\]]*\]", "", english)

    assert shape_of(chinese) == shape_of(english)
    assert re.findall(r".*[一-鿿].*", quoted) == []
    assert len(re.findall(r"[一-鿿]", chinese)) > len(english) / 20


@pytest.mark.parametrize("language", ["", ".zh"])
def test_every_decision_is_in_the_index_under_its_title(language: str) -> None:
    index = text_of(f"docs/decisions/README{language}.md")
    paths = [path.with_name(f"{path.stem}{language}.md") for path in DECISIONS]
    titles = [(path, path.read_text("utf-8").splitlines()[0]) for path in paths]

    for number, (path, title) in enumerate(titles, 1):
        assert title.startswith(f"# {number:04} ")
        assert f"| [{number:04}]({path.name}) | {title[7:]} |" in index


GROUPS = ["新增 / Added", "不兼容 / Breaking", "变更 / Changed", "修正 / Fixed", "安全 / Security"]


def test_the_changelog_has_the_form_it_says() -> None:
    version = re.search(r'^version = "(.+)"$', text_of("pyproject.toml"), re.MULTILINE)
    assert version is not None
    text = text_of("CHANGELOG.md")
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    groups = re.findall(r"^### (.+)$", text, re.MULTILINE)
    parts = re.split(r"^(?=- |#)", text, flags=re.MULTILINE)
    entries = [each for each in parts if each.startswith("- ")]

    assert re.fullmatch(rf"{version[1]} – (未发布 / unreleased|\d{{4}}-\d\d-\d\d)", headings[0])
    assert set(groups) <= set(GROUPS)
    assert [each for each in entries if not re.search(r"[一-鿿].*\s/\s.*[a-z]", each, re.S)] == []
