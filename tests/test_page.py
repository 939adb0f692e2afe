"""The sandbox's page without a browser: what it refuses, and its panels of faults, time and reports."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from azure.functions.decorators.function_app import Function
from bridge import JAMIE, ROBIN
from hypothesis import given
from hypothesis import strategies as st
from page_office import Office, opened
from werkzeug.test import Client

from sandbox.azurite import Azurite
from sandbox.in_process import FunctionHost
from sandbox.moveworks import Delivered
from sandbox.page import Page
from sandbox.page.form import Done
from sandbox.page.here import KEPT, Outcome, Outcomes
from sandbox.page.plot import LINES_S, plotted
from sandbox.serving import served

pytestmark = pytest.mark.slow


@pytest.fixture
def office(functions: list[Function]) -> Iterator[Office]:
    with opened(functions) as made:
        yield made


@pytest.mark.parametrize(
    ("headers", "fields"),
    [
        *(({}, {"token": token}) for token in ("guessed", "")),
        *(({"Sec-Fetch-Site": site}, {}) for site in ("cross-site", "same-site")),
    ],
)
def test_a_post_that_this_page_did_not_make_does_nothing(
    office: Office, headers: dict[str, str], fields: dict[str, str]
) -> None:
    number = office.enter()

    answer = office.client.post(
        "/coupa/withdraw",
        data={"token": office.token, "document": str(number), **fields},
        headers=headers,
    )

    assert answer.status_code == 403
    assert office.world.coupa.world.document(number).status == "pending_approval"


@pytest.mark.parametrize("host", ["evil.example", "evil.example:7080", "127.0.0.1.evil.example:7080", ""])
def test_another_name_that_leads_here_gets_nothing(office: Office, host: str) -> None:
    answer = office.client.get("/", headers={"Host": host})

    assert answer.status_code in (400, 421)
    assert "token" not in answer.text


def test_nothing_may_frame_it_run_in_it_or_be_kept_of_it(office: Office) -> None:
    headers = office.client.get("/").headers

    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["Cache-Control"] == "no-store"
    assert not re.search(r"<script(?! src=)|\sstyle=|\son\w+=", office.read())


def test_no_action_token_and_no_secret_is_on_the_page(office: Office) -> None:
    office.told()
    token = office.world.moveworks.delivered[0].slots["action_token"]

    page = office.read(trace=office.world.moveworks.delivered[0].slots["approval_id"])

    assert token not in page
    assert "c4n4ry" not in page


def test_outcomes_are_kept_for_the_newest_forms_only() -> None:
    outcomes = Outcomes()

    keys = [outcomes.keep(Outcome(Done("sweep", str(number)))) for number in range(KEPT + 1)]

    assert outcomes.get(keys[0]) == outcomes.get("guessed") == Outcome()
    assert outcomes.get(keys[-1]).done.said == str(KEPT)


def test_a_sweep_that_could_not_read_is_not_said_to_have_gone_well(office: Office) -> None:
    office.do("/faults/break", service="Coupa", fault="down")

    page = office.do("/bridge/sweep")

    assert re.search(r'class="remark bad"[^>]*>Swept with a failure \(coupa 503\): no new notices', page)
    assert 'class="bad">Broken here on purpose: Coupa is down: HTTP 503.' in page
    assert "All is well" not in page
    office.do("/faults/mend", service="Coupa")
    assert 'class="bad">The last sweep met a failure (coupa 503).' in office.read()
    assert "All is well: nothing is pending in Coupa." in office.do("/bridge/sweep")


@pytest.mark.parametrize(
    ("fault", "said"), [("down", "HTTP 503"), ("cut", "HTTP 503"), ("lost", "approved, HTTP 200")]
)
def test_a_fault_at_coupa_shows_in_the_answer_and_is_mended(office: Office, fault: str, said: str) -> None:
    office.told()
    assert "Now: " in office.do("/faults/break", service="Coupa", fault=fault)
    assert said in office.click(JAMIE)
    assert "Coupa works again." in office.do("/faults/mend", service="Coupa")

    assert "approved, HTTP 200" in office.click(JAMIE)


def test_a_table_store_that_hangs_is_said_and_mended(office: Office, azurite_server: Azurite) -> None:
    office.around.store = azurite_server
    office.around.storage = azurite_server.connection_string
    try:
        assert "The table store does not answer." in office.do(
            "/faults/break", service="Table store", fault="hang"
        )
        assert "Now: does not answer" in office.read()
    finally:
        page = office.do("/faults/mend", service="Table store")

    assert "Table store works again." in page
    assert "does not answer" not in page.partition("Audit record")[2].partition("</div>")[0]


def test_time_moves_for_everybody(office: Office) -> None:
    before = office.around.clock.now()

    assert "It is 1 day later." in office.do("/bridge/advance", seconds="86400")

    assert (office.around.clock.now() - before).days == 1
    assert office.moved == [86_400]


def test_it_says_when_time_cannot_be_moved_or_the_app_is_away(office: Office) -> None:
    alone = Office(office.world, office.around, Client(Page(office.around, "http://127.0.0.1:9")))
    office.world.moveworks.delivered.append(
        Delivered(JAMIE, "Hi", {"approval_id": "1"}, office.world.clock.now())
    )

    assert "The function app does not answer" in alone.read(trace="85001")
    assert "The function app does not answer." in alone.do("/bridge/sweep")
    assert "The function app does not answer." in alone.do("/bridge/advance", seconds="900")
    assert "no answer" in alone.do("/chat/ask")
    assert "no answer" in alone.click(JAMIE)


@pytest.mark.parametrize(
    ("key", "path", "said"),
    [
        (None, "/bridge/advance", "keeps the machine's time"),
        ("k", "/bridge/sweep", "The function app refused: HTTP 401."),
    ],
)
def test_a_host_that_cannot_move_time_or_wants_a_key_is_said_to(
    office: Office, functions: list[Function], key: str | None, path: str, said: str
) -> None:
    with served(FunctionHost(functions, function_key=key).wsgi) as url:
        page = Office(office.world, office.around, Client(Page(office.around, url)))

        assert said in html.unescape(page.do(path, seconds="900"))


def test_an_approval_is_traced(office: Office) -> None:
    office.told()
    number = office.world.moveworks.delivered[0].slots["approval_id"]

    assert f"{JAMIE} was told" in office.read(trace=number)
    assert "The bridge has never seen this approval." in office.read(trace="99")
    assert "never seen" not in office.read(trace="9<9")


def test_cycle_times_are_a_plot_with_bars_as_long_as_the_waits(office: Office) -> None:
    assert "Nothing has been decided yet." in office.read()

    for title, person, days in (("Desk", JAMIE, 1), ("Chair", ROBIN, 2)):
        office.enter(title, first=office.user(person))
        office.do("/bridge/sweep")
        for _ in range(days):
            office.do("/bridge/advance", seconds="86400")
        office.click(person)
        office.do("/bridge/sweep")

    plot = office.read().partition('id="cycle"')[2].partition("</details>")[0]
    assert re.findall(r"<span>([a-z@.]+): purchase request", plot) == [JAMIE, ROBIN]
    assert re.findall(r'class="value">(1 d|2 d)', plot) == ["1 d", "2 d"]
    one, two = map(float, re.findall(r'class="median" y="2" width="([\d.]+)"', plot))
    assert 0 < one < two < 100
    grid = re.findall(r"<text[^>]*>([^<]+)</text>", plot)
    assert grid == ["0 s", "10 s", "1 min", "10 min", "1 h", "1 d", "7 d"]


@given(st.lists(st.tuples(st.floats(0, 1e8), st.floats(0, 1e8)).map(sorted), max_size=6))
def test_every_bar_fits_into_the_grid(waits: list[list[float]]) -> None:
    rows = [
        {"week": "2026-W48", "document_type": "Contract", "approver": "user:7", "count": 1}
        | {"median_s": median, "p95_s": p95}
        for median, p95 in waits
    ]

    plot = plotted(rows, {"user:7": JAMIE})

    assert len(plot.bars) == len(rows)
    assert all(0 <= bar.median_width <= bar.p95_width <= 100 for bar in plot.bars)
    assert plot.grid == sorted(plot.grid)
    assert plot.grid[0] == (0, "0 s")
    assert plot.grid[-1][0] <= 100
    longest = max((p95 for _, p95 in waits), default=0.0)
    assert longest > LINES_S[-1] or plot.grid[-1][0] == 100


def test_the_log_is_shown_from_its_end_and_never_as_markup(office: Office, tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    log.write_text("earliest\n" + "filler\n" * 5_000 + "<b>last</b>\n", "utf-8")

    page = Client(Page(office.around, "http://127.0.0.1:9", log=log)).get("/").text

    assert "&lt;b&gt;last&lt;/b&gt;" in page
    assert "earliest" not in page


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        *(("GET", path, 200) for path in ("/page.css", "/page.js")),
        *(("GET", path, 404) for path in ("/server.py", "/../server.py")),
        ("PUT", "/", 405),
        ("HEAD", "/", 200),
    ],
)
def test_there_is_one_page_and_two_files(office: Office, method: str, path: str, status: int) -> None:
    assert office.client.open(path, method=method).status_code == status


def test_a_form_that_is_none_is_404_and_a_huge_one_is_refused(office: Office) -> None:
    assert office.send("/coupa/burn").status_code == 404
    assert office.send("/chat/ask", reason="x" * 70_000).status_code == 413
