"""The front page: the list of routes, and in a real browser the forms that send requests.

What needs a browser (chromium, and the package playwright) is skipped where there is none. Most of
it is slow.
"""

import contextlib
import html
import json
import re
import shlex
import shutil
import subprocess
import threading
from types import SimpleNamespace

import pytest
import sqlalchemy as sa
from flask import Blueprint
from harness.browser import (
    READ_COLOURS,
    contrast,
    log_in,
    luminance,
    press,
    running_browser,
    send,
    send_all,
    wait_for_answer,
)
from harness.matrix import FIRST_ADDRESS, PEOPLE, ROWS
from harness.servers import until
from werkzeug.serving import make_server

import seed
from mechanic_shop import Inventory, body, db, ma, query_parameters, token_required

TEMPLATE = "templates/front_page.html"
ROLES = dict(zip(PEOPLE, ["anyone", "customer", "customer", "mechanic", "mechanic"], strict=True))


def readable(rule):
    """Return the address of a rule as the page shows it."""
    return re.sub("<id:([a-z_]+)>", r"{\1}", rule)


def may_call(route):
    """Return who may call a route: those who are not refused for what they are."""
    statuses = ROWS[route]
    if statuses["anyone"] != 401:
        return {"anyone"}
    return {ROLES[person] for person, status in statuses.items() if status < 400}


# Each entry of the list: method and address, and who may call it.
ROUTES = {
    f"{method} {readable(rule)}": may_call((method, rule))
    for method, rule in ROWS
    if FIRST_ADDRESS[rule] == rule
}
EXAMPLES = [name for name in ROUTES if not name.startswith("DELETE")]


# --- The list, without a browser ---


def text_of(markup):
    """Return the text of HTML, with one blank between words."""
    return " ".join(html.unescape(re.sub("<[^>]*>", "", markup)).split())


def read_entries(page):
    """Return the text of each entry of the list by its heading, as a page without JavaScript."""
    page = re.sub("(?s)<(template|script|style)[ >].*?</\\1>", "", page)
    entries = re.findall("(?s)<article[^>]*>.*?<h3>(.*?)</h3>(.*?)</article>", page)
    read = {text_of(heading): text_of(text) for heading, text in entries}
    assert len(read) == len(entries)
    return read


def read_bodies(page):
    """Return the example of each route that takes a body, as a dict in the order of its text."""
    bodies = re.findall('(?s)<h4>([A-Z]+ [^<]*)</h4>(?:(?!</template>).)*"body"[^>]*>(.*?)<', page)
    return {html.unescape(name): json.loads(html.unescape(text)) for name, text in bodies}


def test_page_lists_every_view_once_with_all_that_is_known_of_it(app, anyone):
    expected, first_rules = {}, {}
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        for method in rule.methods - {"HEAD", "OPTIONS"}:
            if (view, method) in first_rules:
                expected[first_rules[view, method]]["aliases"].append(readable(rule.rule))
            else:
                name = first_rules[view, method] = f"{method} {readable(rule.rule)}"
                expected[name] = {"does": view.__doc__.splitlines()[0], "aliases": []}
    entries = read_entries(anyone.get("/").text)
    assert entries.keys() == expected.keys()
    assert ROUTES.keys() == expected.keys(), "Bring MATRIX in test_authorization.py up to date."
    for name, text in entries.items():
        assert "<" not in name, f"{name}: the macro address in {TEMPLATE} knows no such converter."
        does, who, aliases = re.fullmatch(r"(.*) For (.*?)\.(?: Also (.*))?", text).groups()
        assert does == expected[name]["does"]
        assert set(who.split(" and ")) == ROUTES[name], name
        assert (aliases.split(" and ") if aliases else []) == expected[name]["aliases"]


def test_page_puts_each_view_under_its_resource(anyone):
    page = re.sub("(?s)<template>.*?</template>", "", anyone.get("/").text)
    listed = [text_of(heading) for heading in re.findall("<h[23]>.*?</h[23]>", page)]
    resource, resources = None, {}
    for heading in listed[listed.index("Five minutes in front of a class") + 1 :]:
        if heading in ROUTES:
            resources.setdefault(resource, set()).add(heading.split("/")[1])
        else:
            assert heading not in resources
            resource = heading
    assert resources == {
        "Shop": {"", "health"},
        "Customers": {"customers"},
        "Mechanics": {"mechanics"},
        "Inventory": {"inventory"},
        "Service tickets": {"service_tickets"},
        "Ticket inventory": {"ticket_inventory"},
    }


def test_every_field_of_a_body_has_an_example(anyone):
    for name, example in read_bodies(anyone.get("/").text).items():
        for field, value in example.items():
            assert value != "?", f"{name}: add an example for {field!r} to examples in {TEMPLATE}"


def test_examples_have_the_fields_of_their_schemas_with_the_required_ones_first(app, anyone):
    bodies = read_bodies(anyone.get("/").text)
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        for method in rule.methods & {"POST", "PUT", "PATCH"}:
            name = f"{method} {readable(rule.rule)}"
            if name in ROUTES and hasattr(view, "body_schema"):
                fields = view.body_schema.load_fields
                required = [name for name in fields if fields[name].required]
                optional = [name for name in fields if not fields[name].required]
                sent = [f for f in required + optional if f != "password" or method == "POST"]
                assert list(bodies.pop(name)) == sent
    assert bodies == {}


def test_a_new_route_appears_by_itself_with_a_form_of_its_fields(make_app):
    class CarSchema(ma.Schema):
        id = ma.Integer(dump_only=True)
        price = ma.Float()
        colour = ma.String(required=True)

    class CarListSchema(ma.Schema):
        maker = ma.String()

    cars_bp = Blueprint("cars", __name__)

    @cars_bp.put("/<id:car_id>")
    @token_required("mechanic")
    @body(CarSchema())
    @query_parameters(CarListSchema())
    def paint_car(car_id, fields, parameters):
        """Paint a car."""

    app = make_app()
    app.register_blueprint(cars_bp, url_prefix="/cars")
    app.register_blueprint(cars_bp, url_prefix="/automobiles", name="automobiles")
    page = app.test_client().get("/").text
    entry = read_entries(page)["PUT /cars/{car_id}"]
    assert entry == "Paint a car. For mechanic. Also /automobiles/{car_id}"
    assert list(read_bodies(page)["PUT /cars/{car_id}"].items()) == [("colour", "?"), ("price", 25)]
    form = page.partition("<h4>PUT /cars/{car_id}</h4>")[2].partition("</template>")[0]
    assert re.findall("<input name=.*?>", form) == [
        '<input name="car_id" data-in="path" value="1" required>',
        '<input name="maker" data-in="query">',
    ]


def test_policy_lets_the_page_load_nothing_and_run_only_its_own_script(anyone):
    nonces = set()
    for _ in range(2):
        response = anyone.get("/")
        nonce = re.search('<style nonce="(.*?)">', response.text)[1]
        policy = response.headers["Content-Security-Policy"].rstrip("; ").split("; ")
        assert sorted(policy) == [
            "base-uri 'none'",
            "connect-src 'self'",
            "default-src 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
            f"script-src 'nonce-{nonce}'",
            f"style-src 'nonce-{nonce}'",
        ]
        assert re.findall("<script[^>]*>", response.text) == [f'<script nonce="{nonce}">']
        nonces.add(nonce)
    assert len(nonces) == 2


# --- The page in a browser ---


@pytest.fixture(scope="module")
def browser():
    """A browser for all tests of this file."""
    with running_browser() as browser:
        yield browser


@pytest.fixture
def shop(app):
    """The shop with the sample data, served at shop.address; it can be closed and opened again."""
    with app.app_context():
        seed.fill(customers=25, tickets=15)
    shop = SimpleNamespace(app=app, port=0)

    def open_shop():
        shop.server = make_server("127.0.0.1", shop.port, app, threaded=True)
        shop.port = shop.server.port
        shop.address = f"http://127.0.0.1:{shop.port}/"
        shop.thread = threading.Thread(target=shop.server.serve_forever, args=[0.02])
        shop.thread.start()

    def close_shop():
        shop.server.shutdown()
        shop.server.server_close()
        shop.thread.join()

    shop.open, shop.close = open_shop, close_shop
    open_shop()
    yield shop
    close_shop()


def watch(page):
    """Note where a tab sends its requests, and each complaint of the browser and dialog."""

    def note(message):
        if message.type in ("warning", "error") and "Failed to load resource" not in message.text:
            page.complaints.append(message.text)

    page.set_default_timeout(15_000)
    page.on("request", lambda request: page.addresses.append(request.url))
    page.on("console", note)
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.on("dialog", lambda dialog: page.complaints.append(dialog.message) or dialog.dismiss())


@pytest.fixture(scope="module")
def tab(browser):
    """A tab of the browser. The tests share it, as it takes long to open one."""
    tab = browser.new_page()
    watch(tab)
    return tab


@contextlib.contextmanager
def visit(tab, address):
    """Open an address, and afterwards see that the page asked nobody else and had no complaint."""
    tab.addresses, tab.complaints = [], []
    tab.unroute_all()
    tab.set_viewport_size({"width": 1280, "height": 900})
    tab.emulate_media(color_scheme="light")
    tab.goto(address)
    yield tab
    assert tab.complaints == []  # a violation of the policy is one, too
    assert len({address.split("/")[2] for address in tab.addresses}) <= 1
    tab.goto("about:blank")


@pytest.fixture
def page(tab, shop):
    """The front page, where nobody is logged in."""
    with visit(tab, shop.address) as page:
        yield page
        page.evaluate("sessionStorage.clear()")


def shown(page, part):
    """Return the text of a part of the answer: headers, body, message or trail."""
    return page.locator(f"#{part}").inner_text()


def wait_for_trail(page, statuses):
    """Wait until the trail is these statuses."""
    page.locator("#trail").filter(has_text=re.compile(f"^{statuses}$")).wait_for()


def links(page):
    """Return the names of the buttons that an answer has brought."""
    return page.locator("#links").get_by_role("button").all_inner_texts()


def sign_out(page):
    """Log out, if somebody is logged in."""
    if page.get_by_role("button", name="Log out").is_visible():
        press(page, "Log out")


def accounts(app):
    """Return the password hash of each account by its table and email."""
    with app.app_context():
        return {
            (model.__tablename__, email): password
            for model in (seed.Customer, seed.Mechanic)
            for email, password in db.session.execute(sa.select(model.email, model.password))
        }


def test_without_javascript_the_list_is_complete_and_has_no_control(browser, shop):
    tab = browser.new_page(java_script_enabled=False)
    watch(tab)
    with visit(tab, shop.address) as page:
        assert set(page.get_by_role("heading", level=3).all_inner_texts()) == set(ROUTES)
        for role in ("button", "textbox", "link", "status"):
            assert page.get_by_role(role).count() == 0
        assert page.locator("article").first.bounding_box()["width"] > 1000  # not half of the page


def test_every_example_is_answered_2xx_for_its_callers_and_changes_no_account(shop, page):
    before = accounts(shop.app)
    answers = {}
    for role in ("mechanic", "customer", "anyone"):
        sign_out(page)
        if role != "anyone":
            log_in(page, role)
        names = [name for name in EXAMPLES if role in ROUTES[name]]
        for name, status in zip(names, send_all(page, names), strict=True):
            answers[name, role] = status
    assert {call: status for call, status in answers.items() if not 200 <= status < 300} == {}
    assert {name for name, _role in answers} == set(EXAMPLES)
    assert send(page, "POST /customers") == 201  # with an email address that is new again
    assert before.items() <= accounts(shop.app).items()


def test_the_demo_of_five_minutes(shop, page):
    press(page, "GET /customers")
    press(page, "Send")
    assert wait_for_answer(page) == 401
    assert "WWW-Authenticate: Bearer" in shown(page, "headers")
    assert "Log in" in shown(page, "message")
    log_in(page, "mechanic")
    assert send(page) == 200
    assert "X-Total-Count: 25" in shown(page, "headers")
    press(page, "next")
    assert wait_for_answer(page) == 200
    assert json.loads(shown(page, "body"))[0]["id"] == 21

    assert send(page, "GET /inventory/{inventory_id}") == 200
    assert "hit_cache" not in shown(page, "headers")
    assert send(page) == 200
    assert "hit_cache: True" in shown(page, "headers")
    assert send(page, "PUT /inventory/{inventory_id}") == 200
    changed = shown(page, "body")
    assert send(page, "GET /inventory/{inventory_id}") == 200
    assert "hit_cache" not in shown(page, "headers")
    assert shown(page, "body") == changed

    assert send(page, "POST /ticket_inventory/{ticket_id}/assign-inventory/{inventory_id}") == 201
    assert send(page) == 409
    assert "Not enough stock of part 1" in shown(page, "message")

    press(page, "POST /customers/login")
    field = page.get_by_label("JSON body")
    field.fill(field.input_value().replace("turn-the-wrench", "a wrong guess"))
    assert send_all(page, [None] * 11) == [401] * 10 + [429]
    assert shown(page, "trail").split() == ["401"] * 10 + ["429"]
    assert re.search(r"Retry-After: \d", shown(page, "headers"))
    assert "10 per 1 minute" in shown(page, "message")

    log_in(page, "customer")  # who guesses one password locks nobody else out
    assert send(page, "GET /customers/my-tickets") == 200
    assert {ticket["customer_id"] for ticket in json.loads(shown(page, "body"))} == {1}
    press(page, "GET /service_tickets/{ticket_id}")
    page.get_by_label("ticket_id").fill("15")
    assert send(page) == 404
    assert "There is no service ticket 15." in shown(page, "message")


@pytest.mark.slow
def test_login_keeps_the_open_form_and_lives_until_the_tab_is_closed(browser, shop, page):
    assert page.get_by_text("You are not logged in.").is_visible()
    assert not page.get_by_role("button", name="Log out").is_visible()
    press(page, "GET /customers")
    page.get_by_label("search").fill("boris")
    assert send(page) == 401
    log_in(page, "mechanic")
    assert page.get_by_text("You are mechanic 1, ana@shop.example.").is_visible()
    assert send(page) == 200
    assert json.loads(shown(page, "body"))[0]["first_name"] == "Boris"

    token = page.evaluate("sessionStorage.token")
    assert token.count(".") == 2
    assert page.evaluate("[document.cookie, localStorage.length]") == ["", 0]
    assert not any(token in address for address in page.addresses)
    page.reload()
    assert page.get_by_text("You are mechanic 1").is_visible()
    assert send(page, "GET /mechanics/profile") == 200
    log_in(page, "customer")
    press(page, "Log out")
    assert page.get_by_text("You are not logged in.").is_visible()
    assert page.evaluate("sessionStorage.length") == 0
    assert send(page, "GET /mechanics/profile") == 401


@pytest.mark.slow
def test_wrong_login_says_so_and_a_token_that_is_no_longer_valid_is_dropped(shop, page):
    fields = page.get_by_role("form", name="customer")
    fields.get_by_label("Password").fill("a wrong guess")
    press(page, "Log in as customer")
    page.get_by_text("Wrong email or password. You are not logged in.").wait_for()
    log_in(page, "mechanic")
    with shop.app.app_context():
        db.session.execute(sa.update(seed.Mechanic).values(password="another hash"))
        db.session.commit()
    assert send(page, "GET /mechanics/profile") == 401
    assert page.get_by_text("You are not logged in.").is_visible()


@pytest.mark.slow
def test_answers_are_indented_with_numbers_and_texts_as_sent(shop, page):
    strange = 'a "quoted" \\ part, {"price": 20.00}, [], [ 1 ] é'
    with shop.app.app_context():
        db.session.add(Inventory(name=strange, price=20.0, quantity=10))
        db.session.commit()
    press(page, "GET /inventory/{inventory_id}")
    page.get_by_label("inventory_id").fill("16")
    assert send(page) == 200
    assert '"price": 20.0,' in shown(page, "body")
    for route in (None, "GET /inventory", "GET /service_tickets/{ticket_id}"):
        if route:
            log_in(page, "mechanic")
            assert send(page, route) == 200
        path = page.addresses[-1].removeprefix(shop.address[:-1])
        sent = shop.app.test_client().get(path, headers={"Authorization": bearer(page)}).json
        assert shown(page, "body") == json.dumps(sent, indent=2)


def bearer(page):
    return f"Bearer {page.evaluate('sessionStorage.token')}"


def test_what_the_shop_sends_never_becomes_html(shop, page):
    evil = "<img src=x onerror=alert(1)>"
    with shop.app.app_context():
        db.session.execute(sa.update(Inventory).where(Inventory.id == 1).values(name=evil))
        db.session.commit()
    for name in ("GET /inventory/{inventory_id}", "GET /inventory"):
        assert send(page, name) == 200
        assert evil in shown(page, "body")
    press(page, "POST /inventory")
    page.get_by_label("JSON body").fill(json.dumps({evil: 1}))
    log_in(page, "mechanic")
    assert send(page) == 400
    assert evil in shown(page, "body")
    assert page.locator("img").count() == 0


@pytest.mark.slow
def test_links_and_the_location_of_an_answer_are_buttons(shop, page):
    press(page, "GET /inventory")
    page.get_by_label("per_page", exact=True).fill("4")
    page.get_by_label("search", exact=True).fill("a")
    assert send(page) == 200
    total = int(re.search(r"X-Total-Count: (\d+)", shown(page, "headers"))[1])
    last = -(-total // 4)
    assert last > 2
    assert links(page) == ["first", "next", "last"]
    for name, number in (("next", 2), ("last", last), ("prev", last - 1), ("first", 1)):
        press(page, name)
        assert wait_for_answer(page) == 200
        query = f"page={number}&per_page=4&search=a"
        assert page.addresses[-1].endswith(f"/inventory?{query}")
        assert f"/inventory?{query}'" in page.get_by_label("curl").input_value()
    log_in(page, "mechanic")
    assert send(page, "POST /service_tickets") == 201
    assert "Location: /service_tickets/16" in shown(page, "headers")
    created = shown(page, "body")
    assert links(page) == ["Location"]
    press(page, "Location")
    assert wait_for_answer(page) == 200
    assert page.addresses[-1].endswith("/service_tickets/16")
    assert page.get_by_label("ticket_id").input_value() == "16"
    assert shown(page, "body") == created
    assert links(page) == []


@pytest.mark.slow
def test_parameters_are_inputs_and_empty_ones_are_not_sent(page):
    log_in(page, "mechanic")
    press(page, "DELETE /ticket_inventory/{ticket_id}/remove-inventory/{inventory_id}")
    assert page.get_by_label("ticket_id").input_value() == "1"
    assert page.get_by_label("quantity").input_value() == ""
    page.get_by_label("inventory_id").fill("3")
    assert send(page) == 200
    assert page.addresses[-1].endswith("/ticket_inventory/1/remove-inventory/3")
    page.get_by_label("inventory_id").fill("4/../?a#")
    page.get_by_label("quantity").fill("1&2")
    assert send(page) == 404
    assert page.addresses[-1].endswith("/remove-inventory/4%2F..%2F%3Fa%23?quantity=1%262")
    press(page, "POST /ticket_inventory/{ticket_id}/assign-inventory/{inventory_id}")
    page.get_by_label("JSON body").fill("")
    assert send(page) == 201
    assert json.loads(shown(page, "body"))["quantity"] == 1


@pytest.mark.slow
@pytest.mark.skipif(
    not (shutil.which("bash") and shutil.which("curl")), reason="needs bash and curl"
)
def test_the_curl_line_makes_the_same_call(shop, page):
    log_in(page, "mechanic")
    name = """it's $HOME `id` \\ "quoted" !!"""
    press(page, "PUT /inventory/{inventory_id}")
    page.get_by_label("JSON body").fill(json.dumps({"name": name, "price": 1}, indent=2))
    line = page.get_by_label("curl").input_value()
    assert "\n" not in line
    assert shlex.split(line)[:4] == ["curl", "-i", "-X", "PUT"]
    finished = subprocess.run(["bash", "-c", line], capture_output=True, text=True)
    assert "200 OK" in finished.stdout
    assert json.loads(finished.stdout.splitlines()[-1])["name"] == name
    press(page, "GET /customers")
    page.get_by_label("search", exact=True).fill("ab bo&tt")
    line = page.get_by_label("curl").input_value()
    assert "search=ab+bo%26tt" in line
    assert "Bearer" in line
    press(page, "Log out")
    assert "Bearer" not in page.get_by_label("curl").input_value()
    page.get_by_label("curl").focus()
    assert page.evaluate("getSelection().toString()").startswith("curl -i -X GET")


@pytest.mark.slow
def test_a_new_route_or_send_clears_the_answer_and_a_late_one_is_not_shown(page):
    parts = ("status", "message", "links", "headers", "body")
    assert send(page, "GET /inventory") == 200
    held = []
    page.route("**/inventory*", lambda route: held.append(route))
    press(page, "Send")
    assert [shown(page, part) for part in parts] == [""] * 5
    press(page, "GET /health")
    until(lambda: page.wait_for_timeout(10) or held)
    held.pop().continue_()
    wait_for_trail(page, "200 200")
    assert [shown(page, part) for part in parts] == [""] * 5
    assert send(page) == 200
    assert '"ok"' in shown(page, "body")
    press(page, "GET /inventory")
    assert [shown(page, part) for part in parts] == [""] * 5
    press(page, "Send")
    press(page, "Send")
    until(lambda: page.wait_for_timeout(10) or len(held) == 2)
    held[1].fulfill(status=201, json=[])
    assert wait_for_answer(page) == 201
    held[0].fulfill(status=202, json=[])
    wait_for_trail(page, "200 200 200 202 201")
    assert wait_for_answer(page) == 201


@pytest.mark.slow
def test_a_page_instead_of_json_and_a_closed_shop_give_a_message(shop, page):
    assert send(page, "GET /") == 200
    assert "not JSON" in shown(page, "message")
    assert "<!doctype html>" in shown(page, "body")
    press(page, "GET /inventory")
    shop.close()
    try:
        press(page, "Send")
        page.get_by_role("status").filter(has_text="The shop does not answer").wait_for()
        press(page, "Log in as mechanic")
        page.get_by_text("The shop does not answer. Is it running? You are not").wait_for()
    finally:
        shop.open()
    assert send(page) == 200
    log_in(page, "mechanic")
    page.route("**/inventory*", lambda route: route.fulfill(status=502, body="Bad gateway"))
    assert send(page) == 502
    assert "not JSON" in shown(page, "message")
    assert shown(page, "body") == "Bad gateway"


# --- The page for everybody ---


def focused(page):
    """Return the text of the element that the keyboard acts on."""
    return page.evaluate("document.activeElement.innerText ?? ''").strip()


def tab_to(page, name):
    """Press Tab until the keyboard acts on the button with this name, which then shows it."""
    for _ in range(90):
        page.keyboard.press("Tab")
        if focused(page) == name:
            outline = page.evaluate("getComputedStyle(document.activeElement).outline")
            assert "solid 3px" in outline
            return
    raise AssertionError(f"Tab does not lead to {name}.")


@pytest.mark.slow
def test_keyboard_alone_suffices(page):
    page.get_by_label("Customer's email").press("Enter")
    page.get_by_text("You are customer 1").wait_for()
    page.get_by_role("heading", level=1).click()
    tab_to(page, "Log in as mechanic")
    page.keyboard.press("Enter")
    page.get_by_text("You are mechanic 1").wait_for()
    tab_to(page, "GET /customers")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.type("15")  # per_page
    page.keyboard.press("Enter")
    assert wait_for_answer(page) == 200
    tab_to(page, "next")
    page.keyboard.press("Space")
    wait_for_trail(page, "200 200 200 200")
    assert wait_for_answer(page) == 200
    assert focused(page) == "Send"
    tab_to(page, "prev")


@pytest.mark.slow
def test_every_field_has_a_label_and_the_status_is_announced(page):
    without_label = """names => names.filter(name => {
      [...document.querySelectorAll("button")].find(b => b.innerText == name).click()
      return [...document.querySelectorAll("input, textarea")].some(f => !f.labels[0]?.innerText)
    })"""
    assert page.evaluate(without_label, list(ROUTES)) == []
    press(page, "PUT /customers/{customer_id}")
    for name in ("Mechanic's email", "Customer's email", "customer_id", "JSON body"):
        assert page.get_by_role("textbox", name=name, exact=True).count() == 1
    assert page.get_by_role("status").count() == 1
    for name in ROUTES:
        assert page.get_by_role("button", name=name, exact=True).count() == 1


def visit_answers(page):
    """Stop at the start, at a refusal, at a list, and at a new record."""
    yield "start"
    assert send(page, "GET /customers") == 401
    yield "refusal"
    log_in(page, "mechanic")
    assert send(page) == 200
    yield "list"
    assert send(page, "POST /ticket_inventory/{ticket_id}/assign-inventory/{inventory_id}") == 201
    yield "new record"


@pytest.mark.slow
def test_page_is_readable_in_light_and_in_dark(page):
    for state in visit_answers(page):
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            colours = page.evaluate(READ_COLOURS)
            worst = min(contrast(behind, text) for behind, text in colours)
            assert worst >= 4.5, f"{state}, {scheme}: {worst}"
            surface = luminance(colours[0][0])
            assert surface > 0.8 if scheme == "light" else surface < 0.1


# For each route, with its form open: how much is too wide, and the boxes of what must not overlap.
READ_LAYOUT = """names => names.map(name => {
  const button = [...document.querySelectorAll("button")].find(b => b.innerText == name)
  button.click()
  const panel = document.querySelector("#panel")
  const box = element => element.getBoundingClientRect().toJSON()
  return {
    name,
    excess: panel.scrollWidth - panel.clientWidth,
    button: box(button),
    description: box(button.closest("article").querySelector("p")),
    form: box(panel),
  }
})"""


@pytest.mark.slow
def test_page_fits_a_phone_and_a_projector(page):
    for state in visit_answers(page):
        for width in (390, 960, 1280, 1920):
            page.set_viewport_size({"width": width, "height": 844})
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (state, width)
    for width in (390, 959, 960, 1280, 1920):
        page.set_viewport_size({"width": width, "height": 844})
        for layout in page.evaluate(READ_LAYOUT, list(ROUTES)):
            assert layout["excess"] == 0, layout
            assert 0 <= layout["button"]["top"] < 844, layout
            if width < 960:  # the form is under its route
                assert 0 <= layout["form"]["top"] - layout["description"]["bottom"] < 20, layout
            else:  # the form is beside the list
                assert layout["form"]["left"] > layout["description"]["right"] > 0, layout
                assert (layout["form"]["top"], layout["form"]["height"]) == (0, 844), layout


@pytest.mark.slow
def test_text_is_large_enough_for_the_back_of_the_room(page):
    size = page.evaluate("parseFloat(getComputedStyle(document.body).fontSize)")
    assert size >= 20
