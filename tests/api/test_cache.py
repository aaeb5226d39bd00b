"""The cache: who gets what from it, and that a write leaves it behind."""

import time

import pytest
import time_machine
from flask_caching.backends import SimpleCache
from harness.shop import calling, problem

from mechanic_shop import Inventory, db

CACHED = ["/inventory", "/inventory/1", "/mechanics", "/mechanics/ranking", "/customers"]
PRIVATE = [path for path in CACHED if not path.startswith("/inventory")]


def hit(response):
    assert response.status_code == 200
    return response.headers.get("hit_cache") == "True"


@pytest.mark.parametrize("path", CACHED)
def test_second_read_is_a_hit(ana, carla, part, path):
    first, second = ana.get(path), ana.get(path)
    assert (hit(first), hit(second)) == (False, True)
    assert second.json == first.json
    same = {"Content-Type", "Cache-Control", "X-Content-Type-Options"}
    if path != "/inventory/1":
        same |= {"X-Total-Count", "Link"}
    for header in same:
        assert second.headers[header] == first.headers[header]


@pytest.mark.parametrize(
    "path", ["/customers/1", "/mechanics/1", "/mechanics/profile", "/service_tickets/1"]
)
def test_what_is_not_cached_is_never_a_hit(ana, ticket, path):
    for address in (path, path.rpartition("/")[0]):
        if address not in CACHED:
            assert not hit(ana.get(address))
            assert not hit(ana.get(address))


def writes(ana, bert, carla):
    """Yield each kind of write, as a call that changes something that is cached."""
    account = {"first_name": "Eve", "last_name": "N", "password": "long-enough"}
    part = {"name": "horn", "price": 5, "quantity": 3}
    ticket = {"customer_id": carla.id, "vin": "A1", "service_desc": "Brakes", "price": 5}
    yield lambda: ana.post("/inventory", json=part)
    yield lambda: ana.put("/inventory/1", json={**part, "name": "bell"})
    yield lambda: ana.patch("/inventory/1", json={"price": 6})
    yield lambda: ana.post("/customers", json={**account, "email": "e@x.example"})
    yield lambda: carla.patch(f"/customers/{carla.id}", json={"phone": "1"})
    yield lambda: ana.delete("/customers/2")
    yield lambda: ana.post("/mechanics", json={**account, "email": "e@x.example"})
    yield lambda: ana.patch(f"/mechanics/{bert.id}", json={"salary": 5})
    yield lambda: ana.delete("/mechanics/3")
    yield lambda: ana.post("/service_tickets", json=ticket)
    yield lambda: ana.put("/service_tickets/1/assign-mechanic/1")
    yield lambda: ana.put("/service_tickets/1/edit", json={"add_ids": [bert.id]})
    yield lambda: ana.put("/service_tickets/1/remove-mechanic/1")
    yield lambda: ana.post("/ticket_inventory/1/assign-inventory/1", json={"quantity": 2})
    yield lambda: ana.delete("/ticket_inventory/1/remove-inventory/1?quantity=1")
    yield lambda: ana.patch("/service_tickets/1", json={"price": 6})
    yield lambda: ana.delete("/service_tickets/1")
    yield lambda: ana.delete("/inventory/1")


def test_read_after_each_kind_of_write_is_fresh(make_app, app, ana, bert, carla):
    truth = calling(make_app(CACHE_TYPE="NullCache", CACHE_NO_NULL_WARNING=True), ana.token)
    for write in writes(ana, bert, carla):
        for path in CACHED:
            ana.get(path)
        assert write().status_code in (200, 201)
        for path in CACHED:
            assert ana.get(path).json == truth.get(path).json


def test_write_shows_in_the_next_read(ana, part):
    for quantity in range(5, 10):
        ana.patch("/inventory/1", json={"quantity": quantity})
        for _ in range(2):
            assert ana.get("/inventory").json[0]["quantity"] == quantity
            assert ana.get("/inventory/1").json["quantity"] == quantity
            assert ana.get("/parts/1").json["quantity"] == quantity


def test_pages_and_searches_do_not_mix(ana, part):
    ana.post("/inventory", json={"name": "horn", "price": 5, "quantity": 3})
    ids = {
        "": [1, 2],
        "?per_page=1": [1],
        "?per_page=1&page=2": [2],
        "?page=2": [],
        "?search=horn": [2],
        "?search=o": [2],
        "?search=speaker&per_page=1": [1],
    }
    for _ in range(2):
        for query, expected in ids.items():
            response = ana.get(f"/inventory{query}")
            assert [part["id"] for part in response.json] == expected
    assert hit(response)


def test_parameters_that_the_route_does_not_know_are_no_new_entry(ana, part):
    assert not hit(ana.get("/inventory"))
    assert hit(ana.get("/inventory?unknown=1&customer_id=7"))
    assert "unknown" not in ana.get("/inventory?unknown=1").headers["Link"]
    assert not hit(ana.get("/inventory/1"))
    assert hit(ana.get("/inventory/1?page=3&search=x"))
    assert not hit(ana.get("/mechanics"))
    assert hit(ana.get("/mechanics?search=x"))


@pytest.mark.parametrize("path", PRIVATE)
def test_private_lists_need_a_token_whether_cached_or_not(ana, bert, anyone, carla, path):
    problem(anyone.get(path), 401)
    problem(carla.get(path), 403)
    first = ana.get(path)
    second = bert.get(path)
    assert (hit(first), hit(second)) == (False, True)
    assert second.json == first.json
    problem(anyone.get(path), 401)
    problem(carla.get(path), 403)


def test_errors_are_not_cached(ana, anyone):
    problem(anyone.get("/inventory/1"), 404)
    problem(anyone.get("/inventory?page=0"), 400, "page")
    problem(anyone.get("/customers"), 401)
    ana.post("/inventory", json={"name": "horn", "price": 5, "quantity": 3})
    assert anyone.get("/inventory/1").status_code == 200
    for _ in range(2):
        problem(anyone.get("/inventory?page=0"), 400, "page")
        problem(anyone.get("/inventory/2"), 404)


def test_refused_write_leaves_the_cache_as_it_is(ana, anyone, part):
    ana.get("/inventory")
    problem(ana.post("/inventory", json={}), 400, "name", "price")
    problem(anyone.delete("/inventory/1"), 401)
    assert hit(ana.get("/inventory"))


@pytest.mark.parametrize(
    "forged",
    [
        {"headers": {"Host": "evil.example"}},
        {"headers": {"X-Forwarded-Host": "evil.example", "X-Forwarded-Prefix": "/evil.example"}},
        {"environ_overrides": {"SCRIPT_NAME": "//evil.example"}},
    ],
    ids=str,
)
def test_no_header_reaches_others_through_the_cache(anyone, part, forged):
    anyone.get("/inventory", **forged)
    cached = anyone.get("/inventory")
    assert hit(cached)
    assert "evil" not in str(cached.headers)
    assert cached.headers["Link"].startswith("</inventory?page=1&per_page=20>;")


@pytest.mark.parametrize("path", ["/inventory", "/inventory/1"])
def test_slow_reader_does_not_bring_back_the_state_before_a_write(ana, hold, part, path):
    old = hold(
        lambda: ana.get(path),
        "after_cursor_execute",
        "FROM inventory",
        lambda: ana.patch("/inventory/1", json={"quantity": 3}),
    )
    assert '"quantity":10' in old.get_data(as_text=True)
    for _ in range(2):
        assert '"quantity":3' in ana.get(path).get_data(as_text=True)


def test_any_commit_leaves_the_cache_behind(app, ana, part):
    ana.get("/inventory")
    with app.app_context():
        db.session.add(Inventory(name="horn", price=1, quantity=1))
        db.session.commit()
    assert [part["name"] for part in ana.get("/inventory").json] == ["speaker", "horn"]


def test_entries_live_for_60_seconds(make_app, ana, part):
    client = calling(make_app(CACHE_TYPE="SimpleCache"))
    start = time.time()
    assert not hit(client.get("/inventory"))
    for seconds, cached in ((58, True), (62, False)):
        with time_machine.travel(start + seconds):
            assert hit(client.get("/inventory")) == cached


@pytest.fixture
def no_redis(make_app, environment):
    """A Redis that is not there. After the test the limiter, one for all apps, finds another."""
    environment.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    yield
    environment.delenv("REDIS_URL")
    with time_machine.travel(time.time() + 60):
        calling(make_app()).get("/inventory")


def test_shop_goes_on_without_redis_and_logs_no_traceback(make_app, ana, no_redis, caplog):
    client = calling(make_app(), ana.token)
    client.get("/inventory")
    caplog.clear()
    for quantity in range(3):
        body = {"name": "horn", "price": 5, "quantity": quantity}
        assert client.post("/inventory", json=body).status_code == 201
        read = client.get("/inventory")
        assert not hit(read)
        assert read.json[-1]["quantity"] == quantity
    assert "Traceback" not in caplog.text
    assert len(caplog.text) < 1500


class FullCache(SimpleCache):
    """A cache that keeps the version of the data, but has no room for an answer."""

    def set(self, key, value, timeout=None):
        if key != "data version":
            raise OSError("no room")
        return super().set(key, value, timeout)


def test_answer_that_cannot_be_kept_is_answered(make_app, ana, part):
    client = calling(make_app(CACHE_TYPE="test_cache.FullCache"))
    for _ in range(2):
        response = client.get("/inventory")
        assert not hit(response)
        assert response.json == [part]
