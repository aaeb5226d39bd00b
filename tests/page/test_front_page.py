"""The front page: the list of routes, and in a real browser the forms that send requests.

What a visitor sees and does belongs here. Without chromium or playwright, most tests are skipped.
"""

import html
import json
import re
import subprocess
from types import SimpleNamespace

import pytest
import sqlalchemy as sa
from flask import Blueprint
from harness import browser as chromium
from harness.browser import change, log_in, press, send, shown, wait_for_answer
from harness.servers import running_server, until

import seed
from mechanic_shop import Inventory, body, db, ma, query_parameters, token_required

# --- The list, without a browser ---

ABOUT = r"(.*) For (.*?)\.(?: Also (.*))?"
ROUTE = r'data-method="(\w+)" data-path="(.*?)".*?"about">(.*?)</p>\s*<template>(.*?)</template>'


def read_list(page):
    """Return what the page says of each method of each address."""
    found = {}
    for section in page.split("<h2>")[1:]:
        for method, path, about, form in re.findall(ROUTE, section, re.DOTALL):
            assert f"{method} {path}" not in found
            entry = found[f"{method} {path}"] = SimpleNamespace(resource=section.split("<")[0])
            text = " ".join(html.unescape(re.sub("<[^>]*>", "", about)).split())
            entry.does, entry.roles, entry.aliases = re.fullmatch(ABOUT, text).groups()
            entry.inputs = re.findall('<input name="(.*?)"', form)
            example = re.search("(?s)<textarea.*?>(.*?)<", form)
            entry.body = example and json.loads(html.unescape(example[1]))
    return found


def test_list_has_every_view_once_with_all_that_is_known_of_it(app, anyone):
    rules_of = {}
    for rule in app.url_map.iter_rules():
        for method in rule.methods - {"HEAD", "OPTIONS"} if rule.endpoint != "static" else ():
            view = app.view_functions[rule.endpoint]
            rules_of.setdefault((view, method), []).append(rule)
    found = read_list(anyone.get("/").text)
    assert len(found) == len(rules_of)
    for (view, method), rules in rules_of.items():
        address, *aliases = (re.sub("<id:([a-z_]+)>", r"{\1}", rule.rule) for rule in rules)
        entry = found[f"{method} {address}"]
        assert entry.resource == rules[0].endpoint.split(".")[0].replace("_", " ").capitalize()
        assert entry.does == view.__doc__.splitlines()[0]
        assert entry.aliases == (" and ".join(aliases) or None)
        roles = [f"{role}s" for role in getattr(view, "roles", [])]
        assert entry.roles == (" and ".join(roles) or "anyone")
        schema = getattr(view, "body_schema", None)
        assert (entry.body is None) == (schema is None)
        if schema:  # required fields come first, and only a new record has a password
            fields = sorted(schema.load_fields, key=lambda field: not schema.fields[field].required)
            assert list(entry.body) == [f for f in fields if f != "password" or method == "POST"]
            assert "?" not in entry.body.values(), f"front_page.html needs examples: {entry.body}"


@pytest.mark.parametrize("variable", ["id:car", "int:car", "car", "path:car", "any(a, 'b:c>'):car"])
def test_new_route_appears_by_itself_with_a_form_of_its_fields(make_app, variable):
    fields = {
        "id": ma.Integer(dump_only=True),
        "price": ma.Float(),
        "hue": ma.String(required=True),
    }
    cars_bp = Blueprint("new_cars", __name__)

    @cars_bp.put(f"/<{variable}>/colour")
    @token_required("mechanic", "customer")
    @body(ma.Schema.from_dict(fields)())
    @query_parameters(ma.Schema.from_dict({"maker": ma.String()})())
    def paint_car(car, fields, parameters):
        """Paint a car.\n\nMore about it."""

    app = make_app()
    app.register_blueprint(cars_bp, url_prefix="/cars")
    app.register_blueprint(cars_bp, url_prefix="/autos", name="autos")
    app.add_url_rule("/plain", view_func=lambda: "without a docstring or a blueprint")
    found = read_list(app.test_client().get("/").text)
    assert [found["GET /plain"].does, found["GET /plain"].resource] == ["?", "App"]
    car = found["PUT /cars/{car}/colour"]
    assert [car.resource, car.does, car.inputs] == ["New cars", "Paint a car.", ["car", "maker"]]
    assert [car.roles, car.aliases] == ["mechanics and customers", "/autos/{car}/colour"]
    assert list(car.body.items()) == [("hue", "?"), ("price", 25)]


def test_policy_lets_the_page_load_nothing_and_run_only_its_own_script(anyone):
    nonces = set()
    for _ in range(2):
        response = anyone.get("/")
        nonce = re.search('<style nonce="(.*?)">', response.text)[1]
        expected = {f"{name} 'nonce-{nonce}'" for name in ("script-src", "style-src")}
        expected |= {"connect-src 'self'", "default-src 'none'", "frame-ancestors 'none'"}
        expected |= {"base-uri 'none'", "form-action 'none'"}
        assert set(response.headers["Content-Security-Policy"].split("; ")) == expected
        assert re.findall("<script[^>]*>", response.text) == [f'<script nonce="{nonce}">']
        nonces.add(nonce)
    assert len(nonces) == 2


# --- The page in a browser ---


@pytest.fixture(scope="module")
def browser():
    """A browser for all tests of this file."""
    with chromium.running_browser() as browser:
        yield browser


@pytest.fixture
def page(app, database_url, browser):
    """The front page of a shop with the sample data, where nobody is logged in."""
    with app.app_context():
        seed.fill(customers=25, tickets=15)
    with (
        running_server(DATABASE_URL=database_url) as server,
        chromium.visit(browser, f"http://127.0.0.1:{server.port}/") as page,
    ):
        page.shop = server
        yield page


def test_without_javascript_the_list_is_complete_and_has_no_control(browser, page):
    with chromium.visit(browser, page.url, java_script_enabled=False) as page:
        text = " ".join(page.locator("body").inner_text().split())
        for name, entry in read_list(page.content()).items():
            method, address = name.split()
            assert f"{method} {entry.does} For {entry.roles}." in text
            assert all(part in text for part in (address, entry.aliases or ""))
        assert "open to you" not in text
        for role in ("button", "textbox", "link", "status"):
            assert page.get_by_role(role).count() == 0
        assert page.locator("article").first.bounding_box()["width"] > 1000  # not half of the page


# The buttons to press one after the other, and the status and some text of the answer.
DEMONSTRATION = [
    ("Step 1, Send", 401, "WWW-Authenticate: Bearer"),
    ("Log in as mechanic, Send", 200, "X-Total-Count: 25"),
    ("Step 2, Send", 200, 'per_page=10>; rel="next"'),
    ("next", 200, '[ { "id": 11,'),
    ("Step 3, Send", 200, "199 of 200 calls left this minute. X-RateLimit-Limit: 200"),
    ("Send", 200, "From the cache. 198 of 200 calls left this minute. hit_cache: True"),
    ("PUT /inventory/{inventory_id}, Send", 200, "pioneer speakers"),
    ("GET /inventory/{inventory_id}, Send", 200, "pioneer speakers"),
    ("Step 4, Send", 201, '"quantity": 6'),
    ("Send", 409, "ms Not enough stock of part 1"),
    ("Step 5, Send", 200, '"mechanics": [ { "id": 1,'),
    ("Step 6, Send", 401, "Wrong email or password."),
    *[("Send", 401, f"{left} of 10 calls left this minute.") for left in range(8, -1, -1)],
    ("Send", 429, "0 of 10 calls left this minute. Retry-After: "),
    ("Step 7, Log in as customer, Send", 404, "404 Not Found"),
    ("GET /health, Send", 200, '"status": "ok"'),  # at the end of the list
]
# What must not move: where Send, the answer and the steps are, and how far all is scrolled.
READ_PLACES = """() => ["send", "band", "steps"]
  .map(id => document.getElementById(id).getBoundingClientRect())
  .map(box => [box.x, box.y, box.width]).concat(scrollX, scrollY,
    ["list", "fields", "details"].map(id => document.getElementById(id).scrollTop))"""


def test_demonstration_shows_what_its_steps_say_and_nothing_moves(page):
    places, step = page.evaluate(READ_PLACES), ""
    for buttons, status, text in DEMONSTRATION:
        for button in buttons.split(", "):
            step = button if button.startswith("Step") else step
            log_in(page, button.split()[-1]) if "Log in" in button else press(page, button)
        assert wait_for_answer(page) == status
        assert text in shown(page, "answer")
        assert ("cache" in shown(page, "facts")) == ("cache" in text)
        assert page.locator("[aria-current=step]").all_inner_texts() == [step]
        assert status < 400 or str(status) in shown(page, "step")
        assert page.evaluate(READ_PLACES) == places
        assert status != 429 or shown(page, "trail").split() == ["401"] * 10 + ["429"]


@pytest.mark.slow
def test_what_is_filled_is_answered_and_what_is_hollow_is_refused(anyone, page):
    look = """buttons => buttons.map(button => {
      const {backgroundColor, borderRadius} = getComputedStyle(button)
      return [button.ariaLabel, parseInt(borderRadius) > 9, backgroundColor != "rgba(0, 0, 0, 0)"]
    })"""
    shapes = {(name, name.startswith("GET")) for name in read_list(anyone.get("/").text)}
    assert shown(page, "legend").startswith("filled open to you hollow refused round reads")
    for role, refusal in (("anyone", 401), ("customer", 403), ("mechanic", 403)):
        if role != "anyone":
            log_in(page, role)
        buttons = page.locator("#list .route > button").evaluate_all(look)
        assert {(name, is_round) for name, is_round, _ in buttons} == shapes
        for name, _, is_filled in buttons:
            if not is_filled:
                assert send(page, name) == refusal, (role, name)
            elif not name.startswith("DELETE"):
                assert 200 <= send(page, name) < 300, (role, name)
    assert send(page, "POST /customers") == 201  # with an email address that is new again
    press(page, "Log out")
    assert page.evaluate("sessionStorage.length") == 0
    log_in(page, "customer")  # no example has changed the email or the password
    log_in(page, "mechanic")


@pytest.mark.slow
def test_login_keeps_the_open_form_and_lives_until_the_tab_is_closed(app, page):
    change(page, "search", "boris")
    log_in(page, "mechanic")
    assert [send(page), shown(page)[:11]] == [200, '[ { "id": 2']
    assert page.evaluate("[document.cookie, localStorage.length]") == ["", 0]
    assert page.evaluate("sessionStorage.token") not in "".join(page.addresses)
    page.reload()
    assert shown(page, "caller") == "You are mechanic 1, ana@shop.example."
    page.get_by_label("Password").nth(1).fill("a wrong guess")
    press(page, "Log in as customer")
    page.get_by_text("Wrong email or password. You are mechanic 1").wait_for()
    with app.app_context():
        db.session.execute(sa.update(seed.Mechanic).values(password="another hash"))
        db.session.commit()
    assert send(page, "GET /mechanics/profile") == 401  # the token is no longer valid
    assert shown(page, "caller") == "You are not logged in."
    assert page.get_by_role("button", name="Log out").count() == 0


@pytest.mark.slow
def test_answer_is_shown_as_it_was_sent_and_never_as_html(app, page):
    evil = '<img src=x onerror=alert(1)> "quoted" \\ {"price": 20.00}, [], [ 1 ] é'
    with app.app_context():
        db.session.execute(sa.update(Inventory).where(Inventory.id == 1).values(name=evil))
        db.session.commit()
    log_in(page, "mechanic")
    token = page.evaluate("sessionStorage.token")
    for name in ("GET /inventory/{inventory_id}", "GET /inventory", "GET /service_tickets"):
        assert send(page, name) == 200
        path = page.addresses[-1].removeprefix(page.url[:-1])
        sent = page.shop.call("GET", path, token=token)
        text = page.locator("#body").inner_text()
        assert text == json.dumps(sent.json, indent=2, ensure_ascii=False)
    spans = [page.locator("#body span", has_text=text).first for text in ("price", "Oil", "35.0")]
    assert len({span.evaluate("span => getComputedStyle(span).color") for span in spans}) == 3
    assert page.locator("img").count() == 0


@pytest.mark.slow
def test_links_fill_the_form_and_curl_makes_the_same_call(page):
    assert "Bearer" not in page.get_by_label("curl").input_value()
    log_in(page, "mechanic")
    press(page, "GET /inventory")
    change(page, "per_page", "4")
    change(page, "search", "a")
    assert send(page) == 200
    assert page.addresses[-1].endswith("/inventory?per_page=4&search=a")
    for name, query in [("last", "page=3"), ("prev", "page=2"), ("first", "page=1")]:
        press(page, name)
        assert wait_for_answer(page) == 200
        assert page.addresses[-1].endswith(f"/inventory?{query}&per_page=4&search=a")
    assert send(page, "POST /service_tickets") == 201
    created = shown(page)
    press(page, "Location")
    assert [wait_for_answer(page), shown(page), shown(page, "links")] == [200, created, ""]
    press(page, "POST /ticket_inventory/{ticket_id}/assign-inventory/{inventory_id}")
    change(page, "body", "")
    assert send(page) == 201
    press(page, "DELETE /ticket_inventory/{ticket_id}/remove-inventory/{inventory_id}")
    change(page, "inventory_id", "4/../?a#")
    change(page, "quantity", "1&2")
    assert send(page) == 404
    assert page.addresses[-1].endswith("/remove-inventory/4%2F..%2F%3Fa%23?quantity=1%262")
    name = """it's $HOME `id` \\ "quoted" !!"""
    press(page, "PUT /inventory/{inventory_id}")
    change(page, "body", json.dumps({"name": name, "price": 1}, indent=2))
    press(page, "Copy")
    change(page, "body", "")
    page.locator("[name=body]").press("Control+V")
    line = page.locator("[name=body]").input_value()
    finished = subprocess.run(["bash", "-c", line], capture_output=True, text=True)
    assert "200 OK" in finished.stdout
    assert json.loads(finished.stdout.splitlines()[-1])["name"] == name


@pytest.mark.slow
def test_no_answer_a_late_one_and_one_without_json_are_told_apart(page):
    held, answer = [], page.locator("#band, #details")
    moving = "document.getAnimations().map(animation => animation.playState)"
    assert send(page, "GET /inventory") == 200
    page.route("**/inventory*", lambda route: held.append(route))
    press(page, "Send")
    assert "".join(answer.all_inner_texts()).split() == ["Waiting", "…"]
    assert page.evaluate(moving) == ["running"]
    page.emulate_media(reduced_motion="reduce")
    assert page.evaluate(moving) == []
    press(page, "Send")
    until(lambda: page.wait_for_timeout(10) or len(held) == 2)
    held[1].fulfill(status=201, json=[])
    assert wait_for_answer(page) == 201
    held[0].fulfill(status=202, json=[])
    page.locator("#trail", has_text="200 202 201").wait_for()
    assert wait_for_answer(page) == 201
    press(page, "Send")
    press(page, "GET /health")
    until(lambda: page.wait_for_timeout(10) or len(held) == 3)
    held[2].fulfill(status=203, json=[])
    page.locator("#trail", has_text="201 203").wait_for()
    assert "".join(answer.all_inner_texts()).strip() == ""

    assert [send(page, "GET /customers"), send(page, "GET /")] == [401, 200]
    assert re.search("not JSON.*<!doctype html>", shown(page, "answer"))
    page.shop.kill()
    press(page, "Send")
    page.get_by_role("status").filter(has_text="No answer").wait_for()
    press(page, "Log in as mechanic")
    page.get_by_text("The shop does not answer. Is it running? You are not").wait_for()
    page.shop.start()
    page.shop.wait()
    log_in(page, "mechanic")
    page.route("**/health", lambda route: route.fulfill(status=502, body="Bad gateway"))
    assert [send(page, "GET /health"), shown(page)] == [502, "Bad gateway"]
    colours = "spans => spans.map(span => getComputedStyle(span).backgroundColor)"
    *_, rust, green, red, _, _, also_red = page.locator("#trail span").evaluate_all(colours)
    assert [len({rust, green, red}), also_red] == [3, red]


def tab_to(page, name):
    """Press Tab until the keyboard acts on the button with this name, which then shows it."""
    focused = page.locator(":focus")
    for _ in range(90):
        page.keyboard.press("Tab")
        if name in (focused.get_attribute("aria-label"), focused.inner_text()):
            assert "solid 3px" in focused.evaluate("element => getComputedStyle(element).outline")
            return
    raise AssertionError(f"Tab does not lead to {name}.")


@pytest.mark.slow
def test_keyboard_alone_suffices(page):
    page.get_by_label("Customer's email").press("Enter")
    page.get_by_text("You are customer 1").wait_for()
    page.get_by_role("heading", level=1).click()
    for name in ("Log in as mechanic", "Step 1", "GET /customers"):
        tab_to(page, name)
        page.keyboard.press("Enter")
    page.get_by_text("You are mechanic 1").wait_for()
    page.keyboard.press("Tab")
    page.keyboard.type("2")  # into the first field, page
    page.keyboard.press("Control+Enter")
    assert wait_for_answer(page) == 200
    tab_to(page, "prev")
    page.keyboard.press("Space")
    page.locator("#trail", has_text="200 200 200 200").wait_for()
    page.keyboard.press("Enter")  # now the button Send has the focus
    page.locator("#trail", has_text="200 200 200 200 200").wait_for()
    assert page.addresses[-1].endswith("/customers?page=1&per_page=20")
    assert shown(page, "trail") == "200 200 200 200 200"


# Opens each form, and returns what is wrong with how it looks.
READ_FAULTS = """() => {
  const faults = []
  const box = part => (part.at ? document.querySelector(part) : part).getBoundingClientRect()
  const range = document.createRange()
  const lines = part => range.selectNodeContents(part) ?? range.getClientRects().length
  for (const button of document.querySelectorAll("#list .route > button")) {
    button.click()
    const note = (isWrong, what) => isWrong && faults.push(`${button.ariaLabel}: ${what}`)
    note(!document.querySelector("#fields").innerText.includes("For\\xa0"), "who may call?")
    note(document.documentElement.scrollWidth > innerWidth, "too wide")
    note(box(button).top < 0 || box(button).bottom > innerHeight, "out of sight")
    note(innerWidth < 960 ? box("#panel").top < box(button).bottom
      : box("#panel").left < box("#list").right, "form in a wrong place")
    for (const part of document.querySelectorAll("button, label, [name=email]"))
      note(part.scrollWidth > part.clientWidth + 1, `cut off: ${part.value || part.innerText}`)
    for (const field of document.querySelectorAll("input, textarea"))
      note(!field.ariaLabel && !field.labels[0]?.innerText, `no label: ${field.name}`)
    for (const part of document.querySelectorAll("h3 code, #panel code"))
      note([...part.childNodes].some(text => lines(text) > 1), "breaks within a word")
  }
  return faults
}"""


@pytest.mark.slow
def test_page_is_readable_on_a_phone_and_a_projector_in_light_and_in_dark(page):
    for action in (bool, send, lambda page: log_in(page, "mechanic"), send):
        action(page)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            (behind, _), *pairs = page.evaluate(chromium.READ_COLOURS)
            assert abs(chromium.luminance(behind) - (scheme == "light")) < 0.1  # 1 is white
            assert min(chromium.contrast(*pair) for pair in pairs) >= 4.5, (scheme, pairs)
    for width, height in ((390, 844), (959, 844), (960, 844), (1280, 900), (1920, 1080)):
        page.set_viewport_size({"width": width, "height": height})
        assert page.evaluate(READ_FAULTS) == [], width
