"""Take the README's picture of the front page, .github/front_page.png: a mechanic lists the parts.

.venv/bin/python tests/page/take_picture.py
"""

import os
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

with tempfile.TemporaryDirectory() as folder:
    os.environ |= {"DATABASE_URL": f"sqlite:///{folder}/shop.db", "SECRET_KEY": "x" * 32}
    from harness.browser import log_in, press, running_browser, send, visit
    from harness.servers import running_server

    import seed
    from mechanic_shop import create_app

    with create_app().app_context():
        seed.fill(customers=25, tickets=15)
    with running_server() as server, running_browser() as browser:
        address = f"http://127.0.0.1:{server.port}/"
        with visit(browser, address) as page:
            send(page)
            log_in(page, "mechanic")
            press(page, "Step 3")
            send(page, "GET /inventory")
            send(page)
            page.screenshot(path=ROOT / ".github" / "front_page.png")
