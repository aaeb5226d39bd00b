"""The cache: who gets what from it, and that a write leaves it behind."""

import itertools
import time

import pytest
import time_machine
from flask_caching.backends import SimpleCache
from harness.resources import RESOURCES
from harness.shop import calling, problem

import mechanic_shop

CACHED = ["/customers", "/inventory", "/inventory/1", "/service_tickets"]
CACHED += ["/mechanics", "/mechanics/ranking"]
PRIVATE = [path for path in CACHED if not path.startswith("/inventory")]
EVE = RESOURCES["/customers"].whole()
PART = RESOURCES["/inventory"].whole()


def hit(response):
    assert response.status_code == 200
    return response.headers.get("hit_cache") == "True"


@pytest.mark.parametrize("path", CACHED)
def test_second_read_is_a_hit(ana, full_ticket, path):
    first, second = ana.get(path), ana.get(path)
    assert (hit(first), hit(second)) == (False, True)
    assert second.json == first.json
    for header in ("Content-Type", "Cache-Control", "X-Total-Count", "Link"):
        assert second.headers.get(header) == first.headers.get(header)


def test_single_records_and_my_tickets_are_never_a_hit(ana, carla, full_ticket):
    paths = {ana: ["/mechanics/my-tickets", "/mechanics/1", "/mechanics/profile"]}
    paths[carla] = ["/customers/my-tickets", "/customers/1", "/service_tickets/1"]
    for client in (ana, carla):
        for path in paths[client]:
            assert not hit(client.get(path))
            assert not hit(client.get(path))


WRITES = [
    ("POST", "/customers", EVE),
    ("PATCH", "/customers/2", {"phone": "1"}),
    ("DELETE", "/customers/2", {}),
    ("PATCH", "/mechanics/2", {"salary": 5}),
    ("PUT", "/inventory/1", PART),
    ("PUT", "/service_tickets/1/edit", {"add_ids": [2]}),
    ("POST", "/ticket_inventory/1/assign-inventory/1", {}),
    ("DELETE", "/ticket_inventory/1/remove-inventory/1?quantity=1", {}),
    ("DELETE", "/service_tickets/1", {}),
]


def test_read_after_each_kind_of_write_is_fresh(make_app, app, ana, bert, full_ticket):
    uncached = make_app(CACHE_TYPE="NullCache", CACHE_NO_NULL_WARNING=True, RATELIMIT_ENABLED=False)
    truth = calling(uncached, ana.token)
    for method, path, body in WRITES:
        before = [ana.get(cached).json for cached in CACHED]
        assert ana.open(path, method=method, json=body).status_code < 300, path
        after = [truth.get(cached).json for cached in CACHED]
        assert after != before
        assert [ana.get(cached).json for cached in CACHED] == after, (method, path)


@pytest.mark.parametrize("statement", ["FROM mechanics", "FROM customers"])
def test_slow_reader_does_not_bring_back_the_state_before_a_write(ana, carla, hold, statement):
    def change():
        assert ana.patch("/customers/1", json={"phone": "555-0199"}).status_code == 200

    hold(lambda: ana.get("/customers"), "after_cursor_execute", statement, change)
    for _ in range(2):
        assert ana.get("/customers").json[0]["phone"] == "555-0199"


def test_key_is_the_path_and_the_parameters_that_the_route_knows(ana, full_ticket):
    for path in CACHED:
        assert not hit(ana.get(path))
        assert hit(ana.get(f"{path}?unknown=1&quantity=1"))
        assert "unknown" not in str(ana.get(f"{path}?unknown=1").headers)
    for path, query in [
        *((path, "page=2&per_page=1") for path in CACHED if path != "/inventory/1"),
        *(("/inventory", "search=nothing"), ("/customers", "search=nothing")),
        ("/service_tickets", "customer_id=2"),
    ]:
        assert not hit(ana.get(f"{path}?{query}")), path
        assert ana.get(f"{path}?{query}").json == []
    problem(ana.get("/inventory/2"), 404)


@pytest.mark.parametrize("path", PRIVATE)
def test_private_lists_need_a_token_whether_cached_or_not(ana, bert, anyone, carla, path):
    for _ in range(2):
        problem(anyone.get(path), 401)
        problem(carla.get(path), 403)
        first, second = ana.get(path), bert.get(path)
        assert hit(second)
        assert second.json == first.json


def test_refusals_are_not_cached(anyone, part):
    for _ in range(2):
        for path, status, *fields in [("/inventory/9", 404), ("/inventory?page=0", 400, "page")]:
            response = anyone.get(path)
            problem(response, status, *fields)
            assert "hit_cache" not in response.headers


def test_answer_that_is_no_200_is_not_cached(make_app):
    app, numbers = make_app(), itertools.count()
    view = mechanic_shop.cached(lambda: ({"number": next(numbers)}, 418))
    app.add_url_rule("/teapot", view_func=view)
    client = calling(app)
    assert [client.get("/teapot").json["number"] for _ in range(3)] == [0, 1, 2]


def test_no_header_reaches_others_through_the_cache(anyone, part):
    forged = {"HTTP_HOST": "evil.example", "SCRIPT_NAME": "//evil.example"}
    forged |= {"HTTP_X_FORWARDED_HOST": "evil.example", "HTTP_X_FORWARDED_PREFIX": "/evil"}
    anyone.get("/inventory", environ_overrides=forged)
    cached = anyone.get("/inventory")
    assert hit(cached)
    assert cached.headers["Link"].startswith("</inventory?page=1&")
    assert "evil" not in str(cached.headers)


def test_answers_live_for_60_seconds(make_app, ana, part):
    client = calling(make_app(CACHE_TYPE="SimpleCache"))
    start = time.time()
    for seconds, path, cached in [
        (0, "/inventory", False),
        (58, "/inventory", True),
        (58, "/inventory/1", False),
        (62, "/inventory", False),
        (62, "/inventory/1", True),
    ]:
        with time_machine.travel(start + seconds):
            assert hit(client.get(path)) == cached, (seconds, path)


class FullCache(SimpleCache):
    """A cache that, like a full Redis, lets nothing in when it is full, and deletes."""

    full = False

    def set(self, key, value, timeout=None):
        if self.full:
            raise OSError("no room")
        return super().set(key, value, timeout)


def test_full_cache_makes_no_read_stale(make_app, ana, part, monkeypatch):
    client = calling(make_app(CACHE_TYPE="test_cache.FullCache"), ana.token)
    assert not hit(client.get("/inventory"))
    assert hit(client.get("/inventory"))
    monkeypatch.setattr(FullCache, "full", True)
    for price in (21, 22):
        assert client.patch("/inventory/1", json={"price": price}).status_code == 200
        assert client.get("/inventory").json == [part | {"price": price}]


def test_shop_goes_on_while_redis_is_away_and_logs_it(make_app, environment, ana, caplog):
    environment.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    client = calling(make_app(RATELIMIT_DEFAULT="2/minute"), ana.token)
    for price in (5, 6):
        body = {"name": "horn", "price": price}
        assert client.post("/inventory", json=body).status_code == 201
        read = client.get("/inventory")
        assert (hit(read), read.json[-1]["price"]) == (False, price)
    assert 429 in {client.get("/inventory").status_code for _ in range(30)}
    assert "redis" in caplog.text.lower()
