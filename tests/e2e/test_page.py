"""The web page in a real browser, against the real server."""

import io
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from rich.console import Console
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait
from tests.support.releases import make_release
from tests.support.snapshots import checkerboard_snapshot

from visrec.config import RayConfig, ServeConfig, ServeWorkloadConfig
from visrec.storage import ArtifactStore
from visrec.workloads import serve

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
NUM_ITEMS = 60
PATIENCE_S = 30

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.filterwarnings("ignore:Using extra keyword arguments on `Field`"),  # Ray Serve, at import
    pytest.mark.skipif(
        CHROMIUM is None or DRIVER is None, reason="chromium or chromedriver is not installed here"
    ),
]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    workspace = ArtifactStore(str(tmp_path_factory.mktemp("page")))
    make_release(workspace, checkerboard_snapshot(workspace, num_users=6, num_items=NUM_ITEMS, image_size=16))
    job = ServeWorkloadConfig(
        workspace=str(workspace.root), serve=ServeConfig(port=0), ray=RayConfig(num_cpus=4)
    )
    server = serve.start(job, console=Console(file=io.StringIO()))
    yield server.address
    server.stop()


class Page:
    """The page as a person uses it."""

    def __init__(self, browser: webdriver.Chrome) -> None:
        self.browser = browser

    def open(self, address: str) -> None:
        self.browser.get(address)
        self.until(
            lambda: self.browser.execute_script("return document.documentElement.dataset.ready") == "true"
        )

    def until(self, holds: Any) -> None:
        WebDriverWait(self.browser, PATIENCE_S, poll_frequency=0.1).until(lambda _: holds())

    def all(self, selector: str) -> list[WebElement]:
        return self.browser.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector: str) -> WebElement:
        return self.browser.find_element(By.CSS_SELECTOR, selector)

    def ids(self, grid: str) -> list[str]:
        # In one call: between two, the page may have put other cards in place.
        script = "return [...document.querySelectorAll(arguments[0])].map(button => button.dataset.id)"
        found: list[str] = self.browser.execute_script(script, f"{grid} .pick")
        return found

    def text(self, selector: str) -> str:
        return self.one(selector).text

    def broken_pictures(self) -> int:
        script = "return [...document.images].filter(i => i.complete && i.src && i.naturalWidth === 0).length"
        return int(self.browser.execute_script(script))

    def complaints(self) -> list[str]:
        return [entry["message"] for entry in self.browser.get_log("browser")]  # type: ignore[no-untyped-call]


@pytest.fixture
def page(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Page]:
    width, height = getattr(request, "param", (1280, 900))
    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for flag in (*FLAGS, f"--user-data-dir={tmp_path / 'profile'}", f"--window-size={width},{height}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    browser = webdriver.Chrome(options=options, service=Service(str(DRIVER)))
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    yield Page(browser)
    browser.quit()


def test_picks_change_the_recommendations_and_are_kept(page: Page, address: str) -> None:
    page.open(address)
    assert page.text("#recs-title") == "Popular now"
    popular = page.ids("#recs")
    first, second = page.ids("#grid")[:2]
    page.one(f'#grid .pick[data-id="{first}"]').click()
    page.until(lambda: page.text("#recs-title") == "For you" and page.ids("#recs") != popular)
    after_one = page.ids("#recs")
    assert first not in after_one
    assert page.text("#recs-note") == "Based on your pick"
    page.one(f'#grid .pick[data-id="{second}"]').click()
    page.until(lambda: page.text("#recs-note") == "Based on your 2 picks" and page.ids("#recs") != after_one)
    assert page.text("#count") == "2"
    after_two = page.ids("#recs")

    page.open(address)
    page.until(lambda: page.ids("#recs") == after_two)
    assert page.text("#count") == "2"
    page.all("#picks button")[0].click()  # the newest pick comes first
    page.until(lambda: page.ids("#recs") == after_one)
    page.one("#clear").click()
    page.until(lambda: page.ids("#recs") == popular)
    assert page.text("#recs-title") == "Popular now"
    assert page.broken_pictures() == 0
    assert page.complaints() == []


def test_browse_search_and_similar(page: Page, address: str) -> None:
    page.open(address)
    shown = len(page.ids("#grid"))
    page.one("#more").click()
    page.until(lambda: len(page.ids("#grid")) == NUM_ITEMS)
    assert shown < NUM_ITEMS
    assert len(set(page.ids("#grid"))) == NUM_ITEMS
    assert not page.one("#more").is_displayed()
    page.one("#query").send_keys("item 5")
    page.until(lambda: page.text("#explore-note") == "15 pictures")  # 5, 15 to 45, and 50 to 59
    page.one("#query").send_keys("x")
    page.until(lambda: page.one("#empty").is_displayed())
    page.one("#query").clear()
    page.one("#search").submit()
    page.until(lambda: page.text("#explore-title") == "Explore")
    chip = next(button for button in page.all("#chips button") if button.text.lower() == "blue")
    chip.click()
    page.until(lambda: page.text("#explore-note") == "30 pictures")
    item = page.ids("#grid")[0]
    page.browser.execute_script("arguments[0].click()", page.one("#grid .like-this"))
    page.until(lambda: page.text("#explore-title").startswith("Similar to"))
    assert item not in page.ids("#grid")
    page.one("#back").click()
    page.until(lambda: page.text("#explore-title") == "Blue")
    assert page.complaints() == []


def test_search_by_a_picture_of_ones_own(page: Page, address: str, tmp_path: Path) -> None:
    page.open(address)
    picture = tmp_path / "mine.png"
    Image.new("RGB", (50, 40), (200, 30, 30)).save(picture)
    page.one("#file").send_keys(str(picture))
    page.until(lambda: page.text("#explore-title") == "Like your picture")
    assert page.text("#explore-note") == "mine.png"
    assert page.ids("#grid")
    assert page.one("#subject-image").get_attribute("naturalWidth") == "50"
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no picture at all")
    page.one("#file").send_keys(str(broken))
    page.until(lambda: page.one("#toast").is_displayed())
    assert "expected a picture" in page.text("#toast")


def test_everything_can_be_reached_by_keyboard(page: Page, address: str) -> None:
    page.open(address)
    focused = "return [document.activeElement.className, document.activeElement.dataset.id ?? '']"
    reached = []
    for _ in range(40):
        page.browser.execute_cdp_cmd(
            "Input.dispatchKeyEvent", {"type": "keyDown", "key": "Tab", "code": "Tab"} | TAB
        )
        kind, item = page.browser.execute_script(focused)
        reached.append(kind)
        if kind == "pick":
            break
    assert reached[0] == "skip"
    assert {"by-picture", "pick"} <= set(reached)
    page.browser.switch_to.active_element.send_keys(" ")
    page.until(lambda: page.text("#count") == "1")
    assert page.one(f'#grid .pick[data-id="{item}"]').get_attribute("aria-pressed") == "true"


TAB = {"windowsVirtualKeyCode": 9, "nativeVirtualKeyCode": 9}


@pytest.mark.parametrize("page", [(390, 844)], indirect=True)
def test_on_a_phone_nothing_sticks_out_and_recommendations_are_in_reach(page: Page, address: str) -> None:
    page.open(address)
    assert page.browser.execute_script("return document.documentElement.scrollWidth") == 390
    page.all("#grid .pick")[0].click()
    page.until(lambda: page.text("#recs-title") == "For you")
    height = "return document.getElementById('side').getBoundingClientRect().height"
    folded = page.browser.execute_script(height)
    assert folded < 844 / 3
    page.one("#expand").click()
    page.until(lambda: page.browser.execute_script(height) > 844 / 2)
    assert page.one("#expand").get_attribute("aria-expanded") == "true"


def test_the_page_of_the_interface_lets_one_try_it(page: Page, address: str) -> None:
    page.browser.get(f"{address}/docs")
    page.until(lambda: len(page.all(".route")) == 12)
    route = page.all(".route")[0]
    route.find_element(By.TAG_NAME, "summary").click()
    route.find_element(By.CSS_SELECTOR, ".button").click()
    page.until(lambda: "200" in route.find_element(By.TAG_NAME, "output").text)
    assert '"release"' in route.find_element(By.TAG_NAME, "output").text
    assert page.complaints() == []
