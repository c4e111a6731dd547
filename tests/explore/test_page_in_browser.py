"""The page in a real browser: sliders are moved, curves change, nothing goes wrong or out."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from explore_scenes import SCENARIOS, SMALL
from scintscope.cli import main
from scintscope.scenario import load_scenario

CHROMIUM = os.environ.get("SCINTSCOPE_CHROMIUM") or shutil.which("chromium")
ARGUMENTS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
PATIENCE_MS = 60_000
"""For a machine with much else to do; on an idle one it is seconds."""

SLIDERS = (
    "NA", "thin thickness", "thin exposure", "thin focus",
    "thick thickness", "thick exposure", "thick focus",
)  # fmt: skip
"""As they stand on the page of a scenario without a tube."""

READ = """(name) => {
  const found = Bokeh.documents[0].get_model_by_name(name);
  return found ? Array.from(found.data.y) : [];
}"""
ENABLED = """(handle) => !handle.closest(".noUi-target").hasAttribute("disabled")
  && !handle.closest(".noUi-origin").hasAttribute("disabled")"""
PLACE = """(handle) => handle.closest(".noUi-origin").style.transform"""
SHOWN = """Bokeh.documents[0].get_model_by_name("shown").data"""
SAYS = f"""(text) => {{
  const {{keys, notice}} = {SHOWN};
  return keys[0].includes(text) || notice[0].includes(text);
}}"""
AS_LOADED = f"""() => {SHOWN}.count[0] > 0 && {SHOWN}.keys[0] === "" && {SHOWN}.notice[0] === "" """

pytestmark = pytest.mark.skipif(
    CHROMIUM is None,
    reason="no chromium on the PATH: install Debian's package chromium, or name the program in "
    "SCINTSCOPE_CHROMIUM",
)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Serve the small scenario's page in a process of its own."""
    sets = [word for value in SMALL for word in ("--set", value)]
    command = [
        sys.executable, "-c", "from scintscope.cli import main; raise SystemExit(main())",
        "explore", str(SCENARIOS / "synchrotron.toml"),
        "--no-show", "--material", "YAG:Ce", *sets,
    ]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:\d+/", line)
        assert found is not None, line
        yield found.group()
    finally:
        process.terminate()
        process.communicate(timeout=30)


class Visit:
    """A browser's page, and what it complained about or asked others for."""

    def __init__(self, page: Any, address: str) -> None:
        self.page = page
        self.errors: list[str] = []
        self.elsewhere: list[str] = []
        self.asked = 0
        page.set_default_timeout(PATIENCE_MS)
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", lambda request: self._request(request.url, address))
        page.on("websocket", lambda socket: self._request(socket.url, address))
        page.goto(address)

    def _console(self, message: Any) -> None:
        if message.type == "error":
            self.errors.append(message.text)

    def _request(self, url: str, address: str) -> None:
        host = address.split("//")[1]
        self.asked += 1
        if not url.split("//")[-1].startswith(host) and not url.startswith(("data:", "blob:")):
            self.elsewhere.append(url)

    def curve(self, name: str) -> list[float]:
        """Return the plotted y of a curve such as ``mtf:thick``."""
        return [float(y) for y in self.page.evaluate(READ, name)]

    def until(self, text: str) -> None:
        """Wait until the curves are those of a state with these words in its keys or notice.

        The page says so by the way of the curves and after them, so that they are there.
        """
        self.page.wait_for_function(SAYS, arg=text)
        self.page.get_by_text(text).first.wait_for()

    def back(self) -> None:
        """Go back to the scenario, and wait until the page shows it."""
        self.page.get_by_role("button", name="Back to the scenario").click()
        self.page.wait_for_function(AS_LOADED)

    def slide(self, slider: str, key: str, times: int, text: str) -> None:
        """Move a slider by the keyboard, as a person who cannot use a mouse does.

        Returns when the page shows the last position, by the words that it then says: earlier ones
        may still be on their way when the last key is pressed.
        """
        handle = self.page.locator(".noUi-handle").nth(SLIDERS.index(slider))
        handle.focus()
        self.page.wait_for_function(ENABLED, arg=handle.element_handle())
        before = handle.evaluate(PLACE)
        for _ in range(times):
            handle.press(key)
        assert handle.evaluate(PLACE) != before, slider
        self.until(text)


@pytest.fixture(scope="module")
def opened(address: str) -> Iterator[Visit]:
    """Open the page once for all tests."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, headless=True, args=ARGUMENTS
        )
        view = {"width": 1480, "height": 1240}
        made = Visit(browser.new_page(viewport=view), address)  # type: ignore[arg-type]
        made.page.wait_for_function(
            "(name) => window.Bokeh?.documents.length"
            " && Bokeh.documents[0].get_model_by_name(name)?.data.y.length > 0",
            arg="mtf:thick",
        )
        made.page.locator(".noUi-handle").nth(len(SLIDERS) - 1).wait_for()
        yield made
        browser.close()


@pytest.fixture
def visit(opened: Visit) -> Iterator[Visit]:
    """Give the page as loaded, whatever the test before did, and see that nothing went wrong."""
    opened.back()
    yield opened
    assert opened.errors == []
    assert opened.elsewhere == []


@pytest.mark.parametrize(
    ("slider", "times", "said", "curve", "same"),
    [
        ("thick thickness", 6, "thick.thickness_um = 43", "mtf:thick", "mtf:thin"),
        ("thin exposure", 1, "thin.exposure_s = ", "nps:thin", "nps:thick"),
        ("NA", 4, "lens.na = 0.204", "psf:thin", "k:thin"),
    ],
)
def test_sliders_move_their_curves_only(
    visit: Visit, slider: str, times: int, said: str, curve: str, same: str
) -> None:
    """A slider moved by the keyboard changes the curve it should, and not one it should not."""
    before, other = visit.curve(curve), visit.curve(same)
    visit.slide(slider, "ArrowRight", times, said)
    assert visit.curve(curve) != before
    assert visit.curve(same) == pytest.approx(other, rel=1e-9)


def test_thicker_plate_is_less_sharp(visit: Visit) -> None:
    """Moving the thick plate's thickness up lowers its plotted MTF below the camera's Nyquist."""
    before = visit.curve("mtf:thick")
    visit.slide("thick thickness", "ArrowRight", 10, "thick.thickness_um = 45")
    after = visit.curve("mtf:thick")
    assert sum(after[5:60]) < sum(before[5:60])


def test_impossible_focus_is_said_in_words(visit: Visit) -> None:
    """A focus outside the plate shows a sentence, keeps the curves, and is mended by going back."""
    start = visit.curve("mtf:thick")
    visit.page.locator("input[type=checkbox]").last.uncheck()
    visit.until("thick.focus_um = ")
    before = visit.curve("mtf:thick")
    visit.slide("thick focus", "End", 1, "lies outside the plate")
    assert visit.curve("mtf:thick") == before
    visit.back()
    assert visit.curve("mtf:thick") == pytest.approx(start, rel=1e-9)
    visit.page.get_by_text("lies outside the plate").wait_for(state="hidden")


def test_state_can_be_downloaded_as_a_scenario(visit: Visit, tmp_path: Path) -> None:
    """``check`` accepts the file that the button gives, and it has the slider's value in it."""
    visit.slide("NA", "ArrowLeft", 4, "lens.na = 0.196")  # 0.2 less four steps of 0.001
    with visit.page.expect_download() as download:
        visit.page.get_by_text("Download as scenario").click()
    path = tmp_path / "state.toml"
    download.value.save_as(path)
    assert main(["check", str(path)]) == 0
    assert load_scenario(path).lens.na == pytest.approx(0.196)


def test_nothing_failed_and_nothing_left_the_machine(visit: Visit) -> None:
    """With widgets changed, the console has no error and all was asked of the page's server."""
    visit.slide("thin thickness", "ArrowLeft", 2, "thin.thickness_um = 9")
    visit.page.get_by_role("button", name="Mark this state").click()
    visit.slide("thin thickness", "ArrowLeft", 2, "thin.thickness_um = 8")
    visit.page.wait_for_load_state("networkidle")
    assert visit.asked > 0
    assert visit.elsewhere == []
    assert visit.errors == []
