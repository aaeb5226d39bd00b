"""A real browser for the tests, what they do in it, and what they read from a page."""

import contextlib
import shutil

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = [
    "--no-sandbox",  # root has none, and the page is our own
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]

# The different pairs of colours, behind a text and of it, as [red, green, blue]. Painting them one
# over the other reads every notation and mixes what is half transparent; Canvas lies below all.
READ_COLOURS = """() => {
  const pixel = document.createElement("canvas").getContext("2d", {willReadFrequently: true})
  const paint = colour => {
    pixel.fillStyle = colour
    pixel.fillRect(0, 0, 1, 1)
    return [...pixel.getImageData(0, 0, 1, 1).data].slice(0, 3)
  }
  const below = document.body.appendChild(document.createElement("div"))
  below.style.backgroundColor = "Canvas"
  const layers = element => element
    ? [...layers(element.parentElement), getComputedStyle(element).backgroundColor]
    : [getComputedStyle(below).backgroundColor]
  const hasText = element => element.value || [...element.childNodes].some(
    node => node.nodeType == Node.TEXT_NODE && node.data.trim())
  const found = [...document.body.querySelectorAll("*")]
    .filter(element => element.checkVisibility() && hasText(element))
    .map(element => JSON.stringify([layers(element), getComputedStyle(element).color]))
  below.remove()
  return [...new Set(found)].map(JSON.parse)
    .map(([behind, text]) => [behind.map(paint).at(-1), paint(text)])
}"""

# Opens the forms of routes, sends each, and returns the statuses. It presses the buttons from
# inside of the page, which is faster than with a pointer.
SEND_ALL = """async names => {
  const statuses = []
  for (const name of names) {
    const press = text =>
      [...document.querySelectorAll("button")].find(b => b.innerText == text).click()
    const answer = document.querySelector("[role=status]")
    if (name) press(name)
    press("Send")
    while (!answer.innerText.includes(" ms")) await new Promise(go => setTimeout(go, 5))
    statuses.push(parseInt(answer.innerText))
  }
  return statuses
}"""


@contextlib.contextmanager
def running_browser():
    """Run a browser without a window. Skips the test if there is none."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if not path:
        pytest.skip(f"no browser is installed: none of {', '.join(NAMES)}")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=OPTIONS)
        yield browser
        browser.close()


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


def press(page, name):
    """Press the button with exactly this name."""
    page.get_by_role("button", name=name, exact=True).click()


def wait_for_answer(page):
    """Wait until an answer is shown, and return its status."""
    answer = page.get_by_role("status").filter(has_text=" ms")
    answer.wait_for()
    return int(answer.inner_text().split()[0])


def send_all(page, names):
    """Open the form of each route and press Send; return the statuses of the answers."""
    return page.evaluate(SEND_ALL, names)


def send(page, name=None):
    """Press Send, in the form of the route with this name, and return the answer's status."""
    return send_all(page, [name])[0]


def log_in(page, role):
    """Log in with the sample account of this role."""
    press(page, f"Log in as {role}")
    page.get_by_text(f"You are {role} 1").wait_for()
