"""The button for the company's account, in a real browser and across two sites."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import expect

from itr.settings import Settings
from tests.browser.conftest import OpenWindow
from tests.support.dishonest_issuer import CLIENT_ID, SECRET, Dishonest, open_dishonest
from tests.support.sign_in import House, RealTime, open_house

FILE = """
[[issuer]]
url = "{url}"
audience = "itr-api"
algorithms = ["Ed25519"]
key = "company"
client_id = "{client_id}"
client_secret_file = "{secret}"
name = {{ zh = "公司账号", en = "the company account" }}
organisation = "Shanghai"
[issuer.roles]
agent = "LINE1"
"""


@pytest.fixture(scope="module")
async def issuer() -> AsyncIterator[Dishonest]:
    """Another site to a browser: what is at `localhost` is not at `127.0.0.1`."""
    async with open_dishonest("localhost") as opened:
        yield opened


@pytest.fixture(scope="module")
async def house(
    settings: Settings, issuer: Dishonest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[House]:
    path = written(tmp_path_factory.mktemp("issuers"), issuer)
    ours = settings.model_copy(update={"external_issuers": path})
    async with open_house(ours, time=RealTime()) as served:
        yield served


def written(folder: Path, issuer: Dishonest) -> str:
    """The files an operator writes; returns where the issuers' is."""
    (folder / "secret").write_text(SECRET)
    path = folder / "issuers.toml"
    said = FILE.format(url=issuer.url, client_id=CLIENT_ID, secret=folder / "secret")
    path.write_text(said, encoding="utf-8")
    return str(path)


@pytest.mark.parametrize(
    ("language", "button"),
    [("zh-CN", "用公司账号登录"), ("en-GB", "Sign in with the company account")],
)
async def test_a_button_leads_to_the_company_and_back_without_scripts(
    house: House, open_window: OpenWindow, language: str, button: str
) -> None:
    """S6: cookies, content policy and fetch metadata as a browser has them."""
    async with open_window(locale=language, java_script_enabled=False) as window:
        await window.page.goto(f"{house.issuer}/device?user_code=BCDF-GHJK")
        await window.page.get_by_role("link", name=button).click()
        await window.page.get_by_role("link", name="back").click()

        await expect(window.page).to_have_url(f"{house.issuer}/device?user_code=BCDF-GHJK")
        await expect(window.page.locator(".whoever strong")).to_have_text("Somebody")


async def test_another_site_does_not_begin_a_sign_in(
    house: House, issuer: Dishonest, open_window: OpenWindow
) -> None:
    """S6: a browser says where a link was followed, and we listen."""
    async with open_window() as window:
        await window.page.goto(f"{issuer.url}/anything")
        async with window.page.expect_navigation(url=f"{house.issuer}/**") as left:
            await window.page.evaluate(
                "url => location.assign(url)", f"{house.issuer}/oauth/signin/company?next=/device"
            )

        assert (await left.value).status == 403
        window.excuse("status of 403")
