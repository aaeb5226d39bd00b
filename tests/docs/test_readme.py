"""The README: its commands work, its examples answer as shown, and its tables name what is there.

What belongs here reads README.md, and checks or runs what stands in it.
"""

import itertools
import json
import re
import shlex
import shutil
import subprocess
import sys
from urllib.parse import quote
from urllib.request import Request, urlopen

import pytest
from harness.matrix import ALIASES, FIRST_ADDRESS
from harness.servers import (
    ROOT,
    copy_shop,
    free_port,
    running_server,
)
from harness.shop import shows

import mechanic_shop

README = (ROOT / "README.md").read_text(encoding="utf-8")
FENCED = re.compile(r"^( *)```(\w+)\n(.*?)^\1```$", re.M | re.S)
PROSE = FENCED.sub("", README)
MODULE = (ROOT / "mechanic_shop.py").read_text(encoding="utf-8")
SHOP = "http://127.0.0.1:5000"


def block(language, part=""):
    """Return the first code block in a language that has this in it."""
    found = [(i, text) for i, name, text in FENCED.findall(README) if name == language]
    indent, text = next((i, text) for i, text in found if part in text)
    return re.sub(f"^{indent}", "", text, flags=re.M)


def section(heading):
    """Return the text under a heading."""
    return README.split(f"\n## {heading}\n")[1].split("\n## ")[0]


def table(first):
    """Return the rows of the table whose heading begins with this, as lists of cells."""
    text = re.search(rf"^{first} \|.*\n[-|]+\n((?:.+\n)*)", README, re.M)[1]
    return [[cell.strip() for cell in line.split(" |")] for line in text.splitlines()]


def quoted(text):
    """Return what stands in backticks."""
    return re.findall("`([^`]+)`", text)


def missing(names):
    """Return those of the names that the module does not have; ServiceTicket.parts is two."""
    names = {part for name in names for part in name.split(".")}
    return [name for name in names if not re.search(rf"^ *(def |class )?{name}\b", MODULE, re.M)]


def run(command, **options):
    """Run a command of the README in a shell, with this Python, and return what it prints."""
    command = command.replace(".venv/bin/python", shlex.quote(sys.executable))
    done = subprocess.run(command, shell=True, capture_output=True, text=True, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def program(name):
    """Return the path of a program. Skips the test if it is not installed."""
    path = shutil.which(name) or shutil.which(name, path="/usr/sbin")
    return path or pytest.skip(f"{name} is not installed")


QUICKSTART = block("sh").strip().split(" && ")
TESTING = block("sh", "pytest tests").strip().split(" && ")


@pytest.fixture
def server(environment):
    """A running shop with the sample data, loaded as the quickstart does."""
    run(QUICKSTART[2], cwd=ROOT)
    with running_server() as server:
        yield server


# === The text =====================================================================================


def test_readme_is_short_and_so_are_its_paragraphs():
    assert len(README.split()) <= 2800
    text = re.sub(r"`[^`]+`|\([^)]+\)|https?:\S+", "word", PROSE)
    for paragraph in re.split(r"\n(?:\s*\n|(?=- |\d\. |.* \| ))", text):
        assert len(re.findall(r"(?<!\d)[.?!](?=\s|$)", paragraph)) <= 4, paragraph


def test_links_files_and_drivers_are_there():
    headings = re.findall("^##+ (.+)$", README, re.M)
    anchors = {"#" + re.sub(r"[^\w -]", "", text).lower().replace(" ", "-") for text in headings}
    targets = set(re.findall(r"\]\(([^)]+)\)", README))
    links = {target for target in targets if target.startswith("#")}
    assert links - anchors == set()
    made = {"shop.env", "/srv/mechanic-shop/shop.env", "test_shop.py", "flask_app.py"}
    names = {name for text in quoted(PROSE) for name in re.findall(r"[\w./-]+", text)}
    files = {name for name in names if re.search(r"\w\.(py|txt|json|html|yml|env)$", name)}
    assert {"seed.py", "tests/with_servers.py", ".github/workflows/tests.yml"} <= files
    files = files - made | targets - links
    assert [name for name in files if not (ROOT / name).exists()] == []
    tested = (ROOT / "tests" / "requirements.txt").read_text(encoding="utf-8")
    drivers = re.findall(r"[\w\[\]]+==[\d.]+\d", section("Run it for others"))
    assert [driver for driver in drivers if driver not in tested] == []


def test_both_commands_are_one_line_and_the_workflow_runs_them():
    line, windows = block("sh").strip(), block("powershell").strip()
    assert re.findall("^python3 -m venv.*", README, re.M) == [line]
    first, *others = line.replace("python3", "py").replace("bin/", "Scripts/").split(" && ")
    steps = [first, *(f"if ($?) {{ {command} }}" for command in others)]
    assert "; ".join(steps).replace("/", "\\") == windows
    assert re.findall("^.*pytest tests$", README, re.M) == [" && ".join(TESTING)]
    workflow = (ROOT / ".github" / "workflows" / "tests.yml").read_text(encoding="utf-8")
    commands = [command.replace(".venv/bin/", "") for command in QUICKSTART[1:3] + TESTING]
    assert re.findall("- run: (.+)", workflow) == commands


# === What it shows ================================================================================


def test_accounts_log_in_and_examples_are_answered_as_shown(server):
    *emails, password = quoted(re.search("The accounts are .*", README)[0])
    for role, email in zip(("mechanics", "customers"), emails, strict=True):
        login = {"email": email, "password": password}
        assert server.call("POST", f"/{role}/login", login).status_code == 200
    paths = re.findall(rf"{SHOP}(/[\w/?=]+)", section("One request, one error"))
    assert shows(server.call("GET", paths[0]).json, json.loads(block("json", "speaker")))
    assert server.call("GET", paths[1]).json == json.loads(block("json", "error"))


@pytest.mark.slow
def test_pasted_block_answers_as_shown(server):
    script = block("sh", "SHOP=").replace(SHOP, f"http://127.0.0.1:{server.port}")
    record, *counts = block("text").splitlines()
    for shell in filter(None, [program("curl") and program("bash"), shutil.which("zsh")]):
        shown, *counted = run(script, executable=shell).splitlines()
        assert shows(json.loads(shown), json.loads(record))
        assert [line.strip() for line in counted] == counts


@pytest.mark.slow
def test_collection_has_as_many_requests_and_tests_as_the_readme_says(server):
    program("npx")
    (command,) = re.findall("^npx .+$", README, re.M)
    command += f" --color off --env-var base_url=http://127.0.0.1:{server.port}"
    said = re.findall(r"(\d+)(?: requests)? with (\d+)", section("Grade it in three minutes"))
    for totals, option in zip(said, (' --folder "1 The assignment"', ""), strict=True):
        printed, expected = run(command + option, cwd=ROOT), [*map(int, totals)]
        tests = int(re.search(r"assertions │ +(\d+)", printed)[1])
        counted = [len(re.findall("^↳ ", printed, re.M)), tests]
        assert counted == expected or (not option and counted > expected)  # students add some


# === Its tables ===================================================================================


def test_tables_and_diagram_name_what_is_there():
    collection = (ROOT / "postman_collection.json").read_text(encoding="utf-8")
    requirements, lessons = table("the assignment asks for"), table("lesson")
    assert len(requirements) > 20
    for asked, names, request in requirements:
        assert quoted(names), asked
        assert missing(quoted(names)) == [], asked
        assert f'"name": "{request}"' in collection, asked
    sections = re.findall(r"^# === (.+?) =+$", MODULE, re.M)
    assert sorted(", ".join(row[1] for row in lessons).split(", ")) == sorted(sections)
    assert missing({name for row in lessons for name in quoted(row[2])} - {"abort()"}) == []
    drawn = set(re.findall(r"\b[A-Z]\w+", block("mermaid", "erDiagram")))
    assert drawn == {mapper.class_.__name__ for mapper in mechanic_shop.Base.registry.mappers}
    settings = {name.removeprefix("FLASK_") for row in table("variable") for name in quoted(row[0])}
    assert {"DATABASE_URL", "REDIS_URL", "SECRET_KEY", "PORT", "HOST"} <= settings
    assert [name for name in settings - {"..."} if f'"{name}"' not in MODULE] == []


def test_routes_are_those_of_the_shop(app, ana, full_ticket):
    shown, found = {}, {}
    for paths, *cells in table("path"):
        callers = zip(("anyone", "customer", "mechanic"), cells, strict=False)
        routes = {(method, who) for who, cell in callers for method in quoted(cell)}
        shown |= dict.fromkeys(quoted(paths), routes)
    for rule in app.url_map.iter_rules():
        if FIRST_ADDRESS.get(rule.rule) == rule.rule:
            roles = getattr(app.view_functions[rule.endpoint], "roles", ["anyone"])
            routes = itertools.product(rule.methods - {"HEAD", "OPTIONS"}, roles)
            found.setdefault(rule.rule.replace("<id:", "<"), set()).update(routes)
    assert shown == found, "The table under Routes in README.md has a row for each route."
    aliases = quoted(re.search(r"\*\*Aliases:(.+)", README)[1])
    assert {*aliases} == {*ALIASES, *sum(ALIASES.values(), [])}
    cached = quoted(re.search(r"\*\*Cached:\*\* `GET` of (.+?)\. ", README)[1])
    limits = re.search(r"\*\*Limits.+", README)[0].split()
    routes = {(m != "GET", m, path) for path, callers in shown.items() for m, _who in callers}
    for _is_write, method, address in sorted(routes):
        path = re.sub("<[a-z_]+>", "1", address)
        ana.open(path, method=method)
        headers = ana.open(path, method=method).headers
        assert ("hit_cache" in headers) == (method == "GET" and address in cached), address
        assert headers.get("X-RateLimit-Limit", "none") in limits, address


# === For others ===================================================================================


def fetch(port, path, **headers):
    """Send a GET request; return the status and the number of requests that are left."""
    request = Request(f"http://127.0.0.1:{port}{path}", headers=headers)
    with urlopen(request) as answer:
        return answer.status, int(answer.headers["X-RateLimit-Remaining"])


@pytest.mark.slow
def test_nginx_passes_on_addresses_and_long_links_and_drops_odd_headers(environment, tmp_path):
    nginx, port, file = program("nginx"), free_port(), tmp_path / "nginx.conf"
    with running_server(workers=1, FLASK_TRUSTED_PROXIES="2") as server:
        site = block("nginx").replace("listen 80;", f"listen 127.0.0.1:{port};")
        site = site.replace("127.0.0.1:8000", f"127.0.0.1:{server.port}")
        own = f"pid {tmp_path}/pid; error_log {tmp_path}/log; events {{}}"
        file.write_text(f"{own} http {{ access_log off; {site} }}", encoding="utf-8")
        run(f"{nginx} -t -c {file} && {nginx} -c {file}")
        try:
            assert fetch(port, "/inventory", SCRIPT_NAME="/x") == (200, 199)
            assert fetch(port, "/parts?search=" + quote("🔧" * 255)) == (200, 199)
            for forged, left in [("6.6.6.6", 199), ("7.7.7.7", 198)]:
                header = {"X-Forwarded-For": f"{forged}, 5.5.5.5"}
                assert fetch(port, "/inventory", **header) == (200, left)
        finally:
            run(f"{nginx} -c {file} -s stop")


# === Changes and lessons ==========================================================================


@pytest.mark.slow
def test_lessons_work(environment, tmp_path):
    shop = copy_shop(tmp_path / "shop")
    (shop / "test_shop.py").write_text(block("python", "unittest"), encoding="utf-8")
    assert "Ran 1 test" in run(".venv/bin/python -m unittest", cwd=shop)
    package = re.search(r"flask-swagger-ui==[\d.]+\d", README)[0]
    run(f".venv/bin/python -m pip install -q --no-deps --target . {package}", cwd=shop)
    lines = block("python", "app = create_app()") + block("python", "swaggerui")
    (shop / "flask_app.py").write_text(lines, encoding="utf-8")
    (shop / "static").mkdir()
    (shop / "static" / "swagger.yaml").write_text("openapi: 3.0.3", encoding="utf-8")
    get = "[app.test_client().get(path).text for path in ('/docs', '/static/swagger.yaml')]"
    printed = run(f'.venv/bin/python -c "from flask_app import app; print({get})"', cwd=shop)
    assert re.search("(?s)swagger-ui.*openapi: 3.0.3", printed)


def insert(file, place, text):
    """Insert a text into a file, before the one place that looks like this, if it is not there."""
    old = file.read_text(encoding="utf-8")
    if text.strip() not in old:
        before, after = re.split(f"(?={place})", old, flags=re.M)
        file.write_text(before + text + after, encoding="utf-8")


@pytest.mark.slow
def test_column_and_route_end_green(tmp_path):
    left_out = shutil.ignore_patterns(".git", ".venv", "instance", ".*_cache", "__pycache__")
    tree = shutil.copytree(ROOT, tmp_path / "tree", ignore=left_out)
    steps = re.findall(r"^\d\. In `([\w/.]+)`.*: `(.+)`$", section("Change it"), re.M)
    places = {"quantity: .*# pieces in stock": "\n    ", '"quantity": whole_number': " "}
    places |= {'"customer_id": 1,': "\n  ", "^GET +/customers ": "\n"}
    for (name, code), (place, end) in zip(steps, places.items(), strict=True):
        insert(tree / name, place, code + end)
    route = block("python", "@customers_bp")
    insert(tree / "mechanic_shop.py", r'^@customers_bp.post\(""\)', f"{route}\n\n")
    insert(tree / "README.md", r"^`/customers` \|", "`/customers/no-phone` | | | `GET`\n")
    file = tree / "postman_collection.json"
    collection = json.loads(file.read_text(encoding="utf-8"))
    (name,) = re.findall("add a request `([^`]+)`", section("Change it"))
    if f'"{name}"' not in file.read_text(encoding="utf-8"):
        url = {"raw": "{{base_url}}/customers/no-phone", "host": ["{{base_url}}"]}
        request = {"method": "GET", "url": url | {"path": ["customers", "no-phone"]}}
        collection["item"][1]["item"].append({"name": name, "request": request, "response": []})
    file.write_text(json.dumps(collection, indent="\t", ensure_ascii=False), encoding="utf-8")
    tests = ".venv/bin/python -m pytest tests"
    run(f"{tests} && {tests}/postman -m slow -k three", cwd=tree)
