"""A real browser for the tests, what they do in it, and what they read from a page."""

import contextlib
import re
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

# The colour behind the page, and then those behind each text and of it.
READ_COLOURS = """() => [...document.querySelectorAll("body, body *")]
  .filter(element => element == document.body || element.checkVisibility() && (element.value
    || [...element.childNodes].some(node => node.nodeType == Node.TEXT_NODE && node.data.trim())))
  .map(element => {
    const text = getComputedStyle(element).color
    while (getComputedStyle(element).backgroundColor == "rgba(0, 0, 0, 0)")
      element = element.parentElement
    return [getComputedStyle(element).backgroundColor, text]
  })"""


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


@contextlib.contextmanager
def visit(browser, address, **options):
    """Open an address, and see that the page asks nobody else and that the browser is content."""
    with browser.new_context(viewport={"width": 1280, "height": 900}, **options) as context:
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.addresses, complaints = [], []
        page.on("request", lambda request: page.addresses.append(request.url))
        page.on("console", lambda message: complaints.append((message.type, message.text)))
        page.on("pageerror", lambda error: complaints.append(("error", str(error))))
        page.on("dialog", lambda dialog: complaints.append(("error", "dialog")) or dialog.dismiss())
        page.goto(address)
        yield page
        serious = [text for kind, text in complaints if kind in ("warning", "error")]
        assert [text for text in serious if "Failed to load resource" not in text] == []
        assert all(asked.startswith(address) for asked in page.addresses), page.addresses


def luminance(colour):
    """Return the relative luminance of a colour, as WCAG 2 defines it."""
    parts = [int(part) / 255 for part in re.fullmatch(r"rgb\((.*)\)", colour)[1].split(", ")]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    """Return the contrast ratio of two colours: 1 if they are equal, 21 for black on white."""
    darker, lighter = sorted(map(luminance, (one, other)))
    return (lighter + 0.05) / (darker + 0.05)


def press(page, name):
    """Press the button with exactly this name."""
    page.get_by_role("button", name=name, exact=True).click()


def change(page, name, value):
    """Fill in a field of the form."""
    page.locator(f"#request [name={name}]").fill(value)


def wait_for_answer(page):
    """Wait until an answer is shown, and return its status."""
    answer = page.get_by_role("status").filter(has_text=" ms")
    answer.wait_for()
    return int(answer.inner_text().split()[0])


def send(page, name=None):
    """Press Send, in the form of the route with this name, and return the answer's status."""
    if name:
        press(page, name)
    press(page, "Send")
    return wait_for_answer(page)


def log_in(page, role):
    """Log in with the sample account of this role."""
    press(page, f"Log in as {role}")
    page.get_by_text(f"You are {role} 1").wait_for()


def shown(page, part="body"):
    """Return the text of a part of the page, by its id, with one blank between words."""
    return " ".join(page.locator(f"#{part}").inner_text().split())
