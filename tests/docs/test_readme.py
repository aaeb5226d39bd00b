"""The README: its commands work, its examples answer as shown, and its tables are right."""

import json
import re
import shlex
import shutil
import sqlite3
import subprocess
import sys
from functools import reduce

import pytest
from harness.servers import ROOT, copy_shop, running_server
from harness.shop import calling

import mechanic_shop

README = (ROOT / "README.md").read_text(encoding="utf-8")
MODULE = (ROOT / "mechanic_shop.py").read_text(encoding="utf-8")
METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE"}
MARK = "=== end of an answer ==="

needs_bash = pytest.mark.skipif(
    not (shutil.which("bash") and shutil.which("curl")), reason="needs bash and curl"
)


def blocks(language):
    """Return the texts of all code blocks in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.M | re.S)


def section(heading):
    """Return the text under a heading."""
    return README.split(f"\n## {heading}\n")[1].split("\n## ")[0]


def table(heading):
    """Return the rows of the table under a heading, each a list of its cells."""
    lines = re.findall(r"^\|(.*)\|$", section(heading), re.M)
    return [[cell.strip() for cell in line.split("|")] for line in lines[2:]]


def quoted(cell):
    """Return what stands in backticks."""
    return re.findall("`([^`]+)`", cell)


def missing(names):
    """Return those of the names, such as ServiceTicket.parts, that the module does not have."""

    def part_of(thing, name):
        return getattr(thing, name, None)

    return [name for name in names if reduce(part_of, name.split("."), mechanic_shop) is None]


# === Commands and what they print =================================================================


def quickstart():
    """Return the commands of the line that installs and serves."""
    return blocks("sh")[0].splitlines()[0].split(" && ")


def python(command, **options):
    """Run one of the README's commands of `.venv/bin/python` and return what it prints."""
    name, *arguments = shlex.split(command)
    assert name == ".venv/bin/python"
    command = [sys.executable, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, **options).stdout


def test_quickstart_prints_what_the_readme_shows(environment, tmp_path):
    environment.delenv("DATABASE_URL")
    shop = copy_shop(tmp_path / "shop")
    (*_install, seeding, serving) = quickstart()
    printed = python(seeding, cwd=shop)
    assert serving == ".venv/bin/python mechanic_shop.py", "as running_server() does"
    with running_server(folder=shop) as server:
        printed += server.log().splitlines()[0].replace(str(server.port), "5000") + "\n"
    *accounts, opened = re.findall("`([^`]+)`", re.search("The first line prints .*", README)[0])
    assert len(accounts) == 2
    assert [line for line in [*accounts, opened] if line not in printed.splitlines()] == []


def test_windows_lines_run_the_same_commands_and_stop_after_a_failure():
    lines, windows_lines = blocks("sh")[0].splitlines(), blocks("powershell")[0].splitlines()
    for line, windows in zip(lines, windows_lines, strict=True):
        first, *others = line.replace("python3", "py").replace("bin/", "Scripts/").split(" && ")
        steps = [first, *(f"if ($?) {{ {command} }}" for command in others)]
        assert "; ".join(steps).replace("/", "\\") == windows


def shown_answers():
    """Return each command of the `console` blocks with the lines of its answer."""
    steps = []
    for line in "\n".join(blocks("console")).splitlines():
        if line.startswith("$ "):
            steps.append((line.removeprefix("$ "), []))
        elif line and not line.startswith("# "):
            steps[-1][1].append(line)
    return steps


def fits(shown, printed):
    """Say whether a line is what the README shows, where a <word> stands for what varies."""
    return re.fullmatch(r"[\w.-]+".join(map(re.escape, re.split(r"<\w+>", shown))), printed)


@needs_bash
@pytest.mark.slow
def test_examples_answer_as_the_readme_shows(environment, tmp_path):
    environment.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/readme.db")
    python(quickstart()[-2], cwd=ROOT)
    steps = shown_answers()
    assert len(steps) > 10
    with running_server() as server:
        script = "".join(f"{command}\nprintf '\\n%s\\n' '{MARK}'\n" for command, _ in steps)
        script = script.replace("127.0.0.1:5000", f"127.0.0.1:{server.port}")
        finished = subprocess.run(["bash", "-c", script], capture_output=True, text=True)
    answers = finished.stdout.split(MARK)[:-1]
    for (command, shown), answer in zip(steps, answers, strict=True):
        printed = [line.rstrip() for line in answer.splitlines() if line.strip()]
        assert len(shown) == len(printed), f"{command}\n{answer}\n{finished.stderr}"
        for expected, line in zip(shown, printed, strict=True):
            assert fits(expected, line), f"{command}\nThe README:  {expected}\nThe answer:  {line}"


def test_files_in_the_readme_are_there():
    text = README.replace(section("For the next lessons"), "").replace("\\", "/")
    files = set(re.findall(r"(?<![\w./-])(?:tests/)?[\w-]+\.(?:py|txt|json)\b", text))
    assert {"seed.py", "tests/with_servers.py", "postman_collection.json"} <= files
    assert [file for file in files if not (ROOT / file).exists()] == []


@pytest.mark.slow
def test_options_of_seed_in_the_readme_are_there():
    options = set(re.findall(r"seed\.py (--\w+)", README))
    assert {"--reset", "--mechanic"} <= options
    printed = python(".venv/bin/python seed.py --help", cwd=ROOT)
    assert [option for option in options if f"{option} " not in printed] == []


def test_drivers_in_the_readme_are_those_of_the_tests():
    pins = re.findall(r"[\w\[\]]+==[\d.]+\d", section("Beyond one machine"))
    tested = (ROOT / "tests" / "requirements.txt").read_text()
    assert len(pins) >= 4
    assert [pin for pin in pins if pin not in tested] == []


@pytest.mark.slow
def test_backup_of_sqlite_holds_the_data(environment, tmp_path):
    environment.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/instance/mechanic_shop.db")
    (tmp_path / "instance").mkdir()
    python(quickstart()[-2], cwd=ROOT)
    (backup,) = re.findall(r"`([^`]+ -c [^`]+VACUUM[^`]+)`", README)
    python(backup, cwd=tmp_path)
    copy = sqlite3.connect(tmp_path / "shop.backup")
    assert copy.execute("SELECT name FROM inventory WHERE id = 1").fetchall() == [("speaker",)]
    copy.close()


# === Where things are =============================================================================


def inside(folder):
    """Yield the names of the requests in a folder of the collection."""
    for item in folder["item"]:
        if "item" in item:
            yield from inside(item)
        else:
            yield item["name"]


def test_requirements_name_what_is_there():
    rows = table("Where each requirement lives")
    assert len(rows) > 20
    collection = json.loads((ROOT / "postman_collection.json").read_text(encoding="utf-8"))
    requests = set(inside(collection))
    sources = [path.read_text(encoding="utf-8") for path in ROOT.glob("tests/*/test_*.py")]
    tests = set(re.findall(r"^def (test_\w+)\(", "\n".join(sources), re.M))
    for asked, names, request, test in rows:
        assert quoted(names), asked
        assert missing(quoted(names)) == [], asked
        assert request in requests, asked
        assert len(quoted(test)) == 1, asked
        assert set(quoted(test)) <= tests, asked


def test_lessons_are_the_sections_of_the_module():
    sections = re.findall(r"^# === (.+?) =+$", MODULE, re.M)
    rows = table("Read the code")
    assert [number for number, _sections, _look in rows] == [
        str(number) for number in range(1, len(rows) + 1)
    ]
    assert sorted(", ".join(row[1] for row in rows).split(", ")) == sorted(sections)
    names = [name.split("(")[0] for row in rows for name in quoted(row[2])]
    assert len(names) > 10
    assert missing([name for name in names if name != "abort"]) == []


def test_settings_in_the_readme_are_read():
    variables = [name for row in table("Settings") for name in re.findall("`([A-Z_]+)`", row[0])]
    assert {"DATABASE_URL", "REDIS_URL", "SECRET_KEY", "PORT", "HOST"} <= set(variables)
    read = [variable.removeprefix("FLASK_") for variable in variables]
    assert [variable for variable in read if f'"{variable}"' not in MODULE] == []


# === Routes =======================================================================================

CALLERS = ("anyone", "customer", "mechanic")


def shown_routes():
    """Yield each path in the table with its methods by caller, its limits, and if it is cached."""
    for paths, *methods, limits, cached in table("Routes"):
        callers = dict(zip(CALLERS, map(quoted, methods), strict=True))
        for path in quoted(paths):
            yield path, callers, [int(n) for n in re.findall(r"\d+", limits)], cached == "yes"


def main_rules(app):
    """Yield the rule of each view at its first address."""
    seen = set()
    for rule in app.url_map.iter_rules():
        view = (app.view_functions[rule.endpoint], *sorted(rule.methods))
        if view not in seen:
            seen.add(view)
            yield rule


@pytest.fixture
def callers(anyone, carla, ana, part, ticket):
    """A client for each kind of caller, in a shop with one of each record: all ids are 1."""
    assert (carla.id, ana.id, part["id"], ticket["id"]) == (1, 1, 1, 1)
    return dict(zip(CALLERS, (anyone, carla, ana), strict=True))


def call(client, method, path, record_id=1):
    """Call a path with an id in it and a body that no route takes."""
    path = path.replace("<customer_id>", "1")
    path = re.sub("<[a-z_]+>", str(record_id), path)
    return client.open(path, method=method, data="{", content_type="application/json")


def test_routes_are_those_of_the_shop_and_for_whom_the_table_says(app, callers):
    shown, found = {}, {}
    for path, methods, _limits, _cached in shown_routes():
        methods = {who: {*methods["anyone"], *methods[who]} for who in CALLERS}
        before = shown.setdefault(path, dict.fromkeys(CALLERS, set()))
        shown[path] = {who: before[who] | methods[who] for who in CALLERS}
    for rule in main_rules(app):
        path = rule.rule.replace("<id:", "<")
        allowed = found.setdefault(path, {who: set() for who in CALLERS})
        for method in sorted(rule.methods & METHODS):
            for who, client in callers.items():
                if call(client, method, path, 999).status_code not in (401, 403):
                    allowed[who].add(method)
    assert shown == found, "the table under Routes in README.md has a row for each route"


def test_aliases_are_those_of_the_shop(app):
    main = {rule.rule.split("/")[1] for rule in main_rules(app)}
    prefixes = {rule.rule.split("/")[1] for rule in app.url_map.iter_rules()} - main
    aliases = re.search("Aliases: (.+)", section("Routes"))[1]
    assert prefixes == {name.strip("/") for name in quoted(aliases)} - main


def test_routes_have_the_limits_that_the_table_says(callers):
    for path, methods, limits, _cached in shown_routes():
        for method in sum(methods.values(), []):
            response = call(callers["anyone"], method, path)
            limit = response.headers.get("X-RateLimit-Limit")
            assert limit == (str(min(limits)) if limits else None), (method, path)


def test_logins_have_both_limits_that_the_table_says(app):
    ((for_one, in_all),) = {tuple(limits) for *_, limits, _cached in shown_routes() if limits[1:]}
    for times, email, address in [(for_one, "same", "10.0.0.1"), (in_all, "{}", "10.0.0.2")]:
        client = calling(app, address=address)
        statuses = [
            client.post("/mechanics/login", json={"email": email.format(number)}).status_code
            for number in range(times + 1)
        ]
        assert statuses == [400] * times + [429]


def test_routes_are_cached_as_the_table_says(callers):
    for path, methods, _limits, is_cached in shown_routes():
        who = next((who for who in CALLERS if "GET" in methods[who]), None)
        assert who or not is_cached, path
        for hit in (None, "True" if is_cached else None) if who else ():
            response = call(callers[who], "GET", path)
            assert response.status_code == 200, path
            assert response.headers.get("hit_cache") == hit, path


# === Changes and lessons ==========================================================================


def change_module(folder, old, new):
    """Copy the shop into a folder, and replace a text of its module."""
    shop = copy_shop(folder)
    assert MODULE.count(old) == 1
    (shop / "mechanic_shop.py").write_text(MODULE.replace(old, new), encoding="utf-8")
    return shop


@pytest.mark.slow
def test_column_of_the_readme_is_a_checked_field(environment, tmp_path):
    environment.delenv("DATABASE_URL")
    (column,) = re.findall("`(shelf: .+?)`", section("Change something"))
    quantity = re.search("    quantity: .+ # pieces in stock\n", MODULE)[0]
    shop = change_module(tmp_path / "shop", quantity, f"{quantity}    {column}\n")
    lines = [
        "import mechanic_shop as shop",
        "print(shop.inventory_schema.load({'name': 'horn', 'price': 5, 'shelf': ' A1 '}))",
        "print(shop.inventory_schema.validate({'name': 'horn', 'price': 5, 'shelf': 'A' * 21}))",
    ]
    command = f'.venv/bin/python -c "{"; ".join(lines)}"'
    loaded, errors = python(command, cwd=shop).splitlines()
    assert "'shelf': 'A1'" in loaded
    assert "shelf" in errors


@pytest.mark.slow
def test_route_of_the_readme_works(environment, tmp_path):
    environment.delenv("DATABASE_URL")
    (route,) = [code for code in blocks("python") if "inventory_bp" in code]
    place = '@inventory_bp.get("/<id:inventory_id>")\n'
    shop = change_module(tmp_path / "shop", place, f"{route}\n\n{place}")
    with running_server(folder=shop) as server:
        answer = server.call("GET", "/inventory/sold-out")
        assert (answer.status_code, answer.json) == (200, [])
        assert "GET /inventory/sold-out" in server.call("GET", "/").get_data(as_text=True)


@pytest.mark.slow
def test_unittest_of_the_readme_passes(environment, tmp_path):
    shop = copy_shop(tmp_path / "shop")
    (code,) = [code for code in blocks("python") if "unittest" in code]
    (shop / "test_shop.py").write_text(code, encoding="utf-8")
    finished = subprocess.run(
        [sys.executable, "-m", "unittest"], cwd=shop, capture_output=True, text=True
    )
    assert finished.returncode == 0, finished.stderr
    assert "Ran 1 test" in finished.stderr


@pytest.mark.slow
def test_file_for_platforms_has_the_app(environment, tmp_path):
    shop = copy_shop(tmp_path / "shop")
    lines = re.search("with the line `(.+?)` and the line `(.+?)`", README).groups()
    (shop / "flask_app.py").write_text("\n".join(lines), encoding="utf-8")
    command = """.venv/bin/python -c "from flask_app import app; print(type(app).__name__)" """
    assert python(command, cwd=shop) == "Flask\n"


def test_workflow_runs_the_commands_of_the_quickstart():
    (workflow,) = blocks("yaml")
    here = blocks("sh")[0].splitlines()[1].replace(".venv/bin/", "").replace(" -q", "")
    assert " && ".join(re.findall("- run: (.+)", workflow)) == here
