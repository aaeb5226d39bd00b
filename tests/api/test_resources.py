"""What all resources promise alike: records are made, read, changed, listed and deleted.

What only one of them promises stands in the file of that resource.
"""

import pytest
from harness.matrix import ALIASES
from harness.resources import RESOURCES
from harness.shop import problem, shows

pytestmark = pytest.mark.usefixtures("unlimited", "ticket")  # ticket 1, of customer 1


@pytest.fixture(params=RESOURCES)
def path(request):
    """The address of a resource."""
    return request.param


@pytest.fixture
def resource(path):
    """Its row in the table."""
    return RESOURCES[path]


@pytest.fixture
def new(ana, path, resource):
    """A new record with all fields."""
    return ana.post(path, json=resource.whole()).json


@pytest.fixture
def address(path, new):
    """The address of the new record."""
    return f"{path}/{new['id']}"


def test_create_answers_with_the_record_and_its_address(ana, path, resource):
    aliases = [path, *ALIASES.get(path, [])]
    for number, address in enumerate(alias + slash for alias in aliases for slash in ("", "/")):
        response = ana.post(address, json=resource.whole(number))
        assert response.status_code == 201, response.text
        assert shows(response.json, resource.shown(number))
        new_id = response.json["id"]
        assert response.headers["Location"] == f"{address.rstrip('/')}/{new_id}"
        for alias in aliases:
            assert ana.get(f"{alias}/{new_id}").json == response.json


def test_answer_has_the_fields_of_the_table(path, resource, new):
    expected = {"id", *resource.shown(), *resource.computed}
    assert set(new) == expected, (
        f"An answer of {path} has other fields than RESOURCES in tests/harness/resources.py says: "
        f"add a line there for each new field, {sorted(set(new) - expected)}, and delete the lines "
        f"of those that are gone, {sorted(expected - set(new))}."
    )


def test_create_and_put_need_the_required_fields_and_no_others(ana, path, resource, new, address):
    needed = set(resource.whole(required=True))
    problem(ana.post(path, json={}), 400, *needed)
    problem(ana.put(address, json={}), 400, *needed - {"password"})
    for name in needed - {"password"}:
        others = {other: value for other, value in resource.shown().items() if other != name}
        problem(ana.put(address, json=others), 400, name)
    assert ana.get(address).json == new
    created = ana.post(path, json=resource.whole(9, required=True))
    assert created.status_code == 201, created.text


def test_put_keeps_what_it_leaves_out_and_patch_changes_what_it_names(ana, resource, new, address):
    body = resource.shown(9, required=True)
    body |= {"email": new["email"]} if "email" in new else {}  # another's is not Ana's to change
    response = ana.put(address, json=body)
    assert response.status_code == 200, response.text
    current = resource.shown() | body
    assert shows(response.json, current)
    for name, value in resource.shown().items():
        response = ana.patch(address, json={name: value})
        current[name] = value
        assert shows(response.json, current)
    assert ana.get(address).json == ana.patch(address, json={}).json == new


def test_delete_says_what_was_deleted_and_its_id_is_not_used_again(
    ana, path, resource, new, address
):
    assert ana.delete(address).json == {
        "message": f"Successfully deleted {resource.label} {new['id']}"
    }
    problem(ana.get(address), 404)
    assert new not in ana.get(path).json
    assert ana.post(path, json=resource.whole()).json["id"] > new["id"]


def test_record_that_does_not_exist_is_not_found(ana, path, resource):
    for number in ("0", "99", "999999999", "2147483648"):
        for method in ("GET", "PUT", "PATCH", "DELETE"):
            response = ana.open(f"{path}/{number}", method=method, json=resource.shown())
            detail = problem(response, 404)
            assert number in detail or len(number) > 9  # more digits are no id, and no route


@pytest.mark.parametrize("path", [path for path, row in RESOURCES.items() if row.refer])
def test_record_that_another_refers_to_stays(ana, resource, new, address):
    assert resource.refer(ana, new["id"]).status_code < 300
    before = ana.get(address).json
    problem(ana.delete(address), 409)
    assert ana.get(address).json == before


def test_change_of_a_record_that_is_deleted_meanwhile_is_a_conflict(ana, resource, address, hold):
    name, field = list(resource.fields.items())[-1]
    changed = hold(
        lambda: ana.patch(address, json={name: field.taken[0][0]}),
        "before_cursor_execute",
        "UPDATE",
        lambda: ana.delete(address),
    )
    problem(changed, 409)
    problem(ana.get(address), 404)


def test_list_is_in_order_of_id_at_each_address(ana, path, resource, new):
    for number in range(3):
        ana.post(path, json=resource.whole(number))
    records = ana.get(path).json
    assert new in records
    ids = [record["id"] for record in records]
    assert ids == sorted(ids)
    for alias in [path, *ALIASES.get(path, [])]:
        assert ana.get(f"{alias}?page=2&per_page=2").json == records[2:4]
