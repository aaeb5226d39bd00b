"""The front page as a real browser shows it: complete, quiet, readable, no wider than the window.

Needs Chromium or Google Chrome; without one the tests are skipped.
"""

import shutil

import pytest
from playwright.sync_api import sync_playwright
from servers import running_server
from test_authorization import PEOPLE, ROWS

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = [
    "--no-sandbox",  # root has none, and the page is our own
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
ROLES = dict(zip(PEOPLE, ["anyone", "customer", "customer", "mechanic", "mechanic"], strict=True))

# The rows of the tables that can be seen: the heading above, and the text of the four cells.
READ_ROWS = """() => {
  const text = element => element.textContent.trim()
  const rows = []
  let heading
  for (const element of document.querySelectorAll("h2, tr")) {
    if (element.tagName == "H2") heading = text(element)
    else if (element.querySelector("td") && element.checkVisibility())
      rows.push([heading, ...[...element.cells].map(text)])
  }
  return rows
}"""

# The colours behind each text and of it, as [red, green, blue]. Painting them one over the other
# reads every notation and mixes what is half transparent; Canvas is what lies below everything.
READ_COLOURS = """() => {
  const pixel = document.createElement("canvas").getContext("2d", {willReadFrequently: true})
  const paint = (element, property) => {
    pixel.fillStyle = getComputedStyle(element)[property]
    pixel.fillRect(0, 0, 1, 1)
    return [...pixel.getImageData(0, 0, 1, 1).data].slice(0, 3)
  }
  const below = document.body.appendChild(document.createElement("div"))
  below.style.backgroundColor = "Canvas"
  const paintBehind = element => {
    if (!element) return paint(below, "backgroundColor")
    paintBehind(element.parentElement)
    return paint(element, "backgroundColor")
  }
  const hasText = element => [...element.childNodes].some(
    node => node.nodeType == Node.TEXT_NODE && node.data.trim())
  const colours = [...document.body.querySelectorAll("*")].filter(hasText)
    .map(element => [paintBehind(element), paint(element, "color")])
  below.remove()
  return colours
}"""


@pytest.fixture(scope="module")
def browser():
    """A browser without a window. Skips the tests where none is installed."""
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if not path:
        pytest.skip(f"no browser is installed: none of {', '.join(BROWSERS)}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=OPTIONS)
        yield browser
        browser.close()


@pytest.fixture
def address(browser, environment):
    """The address of a shop that runs."""
    with running_server() as server:
        yield f"http://127.0.0.1:{server.port}/"


@pytest.fixture
def page(browser):
    """A blank page, which notes in page.requests and page.complaints what happens to it."""
    page = browser.new_page()
    page.requests, page.complaints = [], []
    page.on("request", lambda request: page.requests.append(request.url))
    page.on("console", lambda message: page.complaints.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    yield page
    page.close()


def may_call(route):
    """Return who may call a route: those who are not refused for what they are."""
    statuses = ROWS[route]
    if statuses["anyone"] != 401:
        return {"anyone"}
    return {ROLES[person] for person, status in statuses.items() if status < 400}


def test_front_page_shows_every_route_under_its_resource(app, page, address):
    page.goto(address)
    shown = {}
    for resource, methods, path, description, who in page.evaluate(READ_ROWS):
        for method in methods.split(", "):
            assert (method, path) not in shown
            shown[method, path] = (resource, description, set(who.split(", ")))
    for rule in app.url_map.iter_rules():
        for method in rule.methods - {"HEAD", "OPTIONS"}:
            resource, description, who = shown.pop((method, rule.rule))
            assert resource == (rule.rule.split("/")[1] or "shop")
            assert description == app.view_functions[rule.endpoint].__doc__.splitlines()[0]
            assert who == may_call((method, rule.rule))
    assert shown == {}


def test_front_page_loads_nothing_and_the_browser_complains_of_nothing(page, address):
    page.goto(address, wait_until="networkidle")
    assert page.requests == [address]
    assert page.complaints == []


def luminance(colour):
    """Return the relative luminance of a colour, as WCAG 2 defines it."""
    parts = (part / 255 for part in colour)
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    """Return the contrast ratio of two colours: 1 if they are equal, 21 for black on white."""
    darker, lighter = sorted(map(luminance, (one, other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_front_page_is_readable_in_light_and_in_dark(page, address):
    page.goto(address)
    colours = {}
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        colours[scheme] = page.evaluate(READ_COLOURS)
        assert colours[scheme]
        assert min(contrast(behind, text) for behind, text in colours[scheme]) >= 4.5
    for light, dark in zip(colours["light"], colours["dark"], strict=True):
        assert luminance(light[0]) > luminance(dark[0])
        assert luminance(light[1]) < luminance(dark[1])


@pytest.mark.parametrize("width", [390, 1280], ids=["phone", "desktop"])
def test_front_page_is_no_wider_than_the_window(page, address, width):
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(address)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
