"""The image, the compose file and the hooks fit the product: read, no engine needed."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from typer.main import get_command

from api.transport.health import healthz
from cli.main import app
from itr.settings import PREFIX, Settings
from tests.support.pages import HOUSE, text_of

STAGES = re.split(r"^FROM ", text_of("Dockerfile"), flags=re.MULTILINE)[1:]
COPIED = [
    source
    for line in re.findall(r"^COPY (?!--from)(.+)$", text_of("Dockerfile"), re.MULTILINE)
    for source in line.split()[:-1]
]
SETTINGS = {PREFIX + name.upper(): field for name, field in Settings.model_fields.items()}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(text_of("compose.yaml"))
    return found


@pytest.fixture(scope="module")
def product(compose: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The services that are the product itself."""
    return {name: each for name, each in compose["services"].items() if "build" in each}


def test_all_that_is_copied_is_there_and_sent_to_the_builder() -> None:
    sent = set(re.findall(r"^!(.+)$", text_of(".dockerignore"), re.MULTILINE))

    assert [source for source in COPIED if not (HOUSE / source).exists()] == []
    assert set(COPIED) == sent


def test_every_package_of_the_product_is_in_the_image() -> None:
    (listed,) = re.findall(r"^include = \[(.+)\]$", text_of("pyproject.toml"), re.MULTILINE)

    assert set(re.findall(r'"(\w+)\*"', listed)) <= set(COPIED)


def test_the_image_runs_one_command_as_nobody_in_particular() -> None:
    """No root, and no shell between a signal and the program."""
    last = STAGES[-1]
    (user,) = re.findall(r"^USER (\S+)$", last, re.MULTILINE)
    (entry,) = re.findall(r"^ENTRYPOINT (.+)$", last, re.MULTILINE)
    (command,) = re.findall(r"^CMD (.+)$", last, re.MULTILINE)

    assert int(user) > 0
    assert last.index(f"--uid {user}") < last.index("USER")
    assert (yaml.safe_load(entry), yaml.safe_load(command)) == (["itr"], ["serve"])
    assert not re.search(r"SECRET|PASSWORD", text_of("Dockerfile"))


def test_the_image_exposes_the_port_that_is_served(compose: dict[str, Any]) -> None:
    served = Settings.model_fields["port"].default
    (exposed,) = re.findall(r"^EXPOSE (\d+)$", STAGES[-1], re.MULTILINE)
    (published,) = compose["services"]["api"]["ports"]

    assert int(exposed) == served
    assert published == f"127.0.0.1:{served}:{served}"


def test_every_service_of_the_product_runs_a_command_it_has(
    product: dict[str, dict[str, Any]],
) -> None:
    known: Any = get_command(app)

    assert {each["command"] for each in product.values()} == {"serve", "work", "migrate"}
    assert {each["command"] for each in product.values()} <= set(known.commands)


def test_every_service_is_given_what_settings_require_and_nothing_they_do_not_know(
    product: dict[str, dict[str, Any]],
) -> None:
    required = {name for name, field in SETTINGS.items() if field.is_required()}

    for each in product.values():
        assert required <= each["environment"].keys() <= SETTINGS.keys()


def test_secrets_have_no_default_and_the_readme_says_how_to_make_them() -> None:
    text = text_of("compose.yaml")
    secrets = {
        name for name in re.findall(r"\$\{(\w+)", text) if re.search("SECRET|PASSWORD", name)
    }
    (made,) = re.findall(r"for name in (.+?); do .* > \.env", text_of("README.md"))

    assert secrets == set(made.split())
    assert all(f"${{{name}:-" not in text for name in secrets)


def test_who_is_waited_for_tells_when_it_is_ready(compose: dict[str, Any]) -> None:
    services = compose["services"]
    waited = {
        (other, how["condition"])
        for each in services.values()
        for other, how in each.get("depends_on", {}).items()
    }
    watched = {other for other, condition in waited if condition == "service_healthy"}

    assert {other for other, condition in waited} <= services.keys()
    assert all("healthcheck" in services[other] for other in watched)
    assert services["migrate"]["restart"] == "no"


def test_the_api_is_asked_where_it_answers(compose: dict[str, Any]) -> None:
    from api.app import create_app

    test = compose["services"]["api"]["healthcheck"]["test"]
    (path,) = re.findall(r"http://127\.0\.0\.1:8000(/\w+)", test[-1])
    settings = Settings.read(
        {
            "ITR_DATABASE_URL": "postgresql://nobody@127.0.0.1/nothing",
            "ITR_VALKEY_URL": "valkey://127.0.0.1",
            "ITR_SECRET": "x" * 32,
        }
    )
    routes: Any = create_app(settings).routes

    assert test[0] == "CMD"
    assert healthz in [route.endpoint for route in routes if route.path == path]


def test_the_hooks_are_what_make_check_runs() -> None:
    hooks = yaml.safe_load(text_of(".pre-commit-config.yaml"))["repos"][0]["hooks"]
    check = text_of("Makefile").split("\ncheck: ")[1].split("\n\n")[0]
    tools = r"ruff check|ruff format|mypy|lint-imports"

    assert {re.findall(tools, each["entry"])[0] for each in hooks} == set(re.findall(tools, check))
