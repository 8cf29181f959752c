"""`make ui` in a real browser: what the run list, Compare, the charts and a run's files show of a real record."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator

import matplotlib.pyplot as plt
import pytest
import requests
from mlflow.entities import Run
from playwright.sync_api import Browser, Page, expect

import browser
import mlflow_page
from project import REPOSITORY, Project
from rarelabels.record import connection, opening, reading, writing
from rarelabels.show import ui

pytestmark = pytest.mark.long

STUDY = "your_table"
NETS = ("bce", "pos_weight_sqrt")
TRIALS = ("floor_prior", *NETS)
SEEDS = (0, 1)
CURVE = "curve/val_macro_average_precision"
EPOCHS = 4  # enough for a curve


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The example of README, with fewer epochs: films, two nets and a floor, two seeds each."""
    made = Project(tmp_path_factory.mktemp("ui"), plain=True, draws=True)
    (made.folder / "docs").symlink_to(REPOSITORY / "docs")
    declared = made.folder / "experiments" / STUDY / "_base.yaml"
    declared.write_text(
        declared.read_text("utf-8").replace("epochs: 20", f"epochs: {EPOCHS}").replace("min_rows: 40", "min_rows: 150"),
        "utf-8",
    )
    made.do("run", *(f"{STUDY}/{name}" for name in TRIALS), "--seeds", ",".join(map(str, SEEDS)), "--workers", "1")
    return made


@pytest.fixture(scope="module")
def link(project: Project) -> Iterator[str]:
    with mlflow_page.served(project) as links:
        assert list(links) == [STUDY]
        yield links[STUDY]
    assert project.processes() == []


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser.browser() as opened:
        yield opened


@pytest.fixture
def page(chromium: Browser, link: str) -> Iterator[Page]:
    """The study's runs; whatever goes wrong in the browser fails the test."""
    with browser.page(chromium) as (opened, watch):
        mlflow_page.open_study(opened, link)
        yield opened
        assert watch.unexpected(mlflow_page.NOISE) == []
        assert {request.split("/")[2] for request in watch.requests if request.startswith("http")} == {
            link.split("/")[2]
        }, "the page asks nobody but the server on this machine"


def parent(project: Project, trial: str) -> Run:
    """The run of a trial, above its seeds."""
    return next(run for run in project.runs("trial", STUDY) if run.info.run_name == trial)


def test_the_list_has_one_line_per_trial_with_numbers_and_its_seeds_below(page, project):
    assert sorted(mlflow_page.names(page)) == sorted([f"= {STUDY}", *TRIALS])
    for column in ui.COLUMNS[:3]:  # the fourth is cut by the window
        told = sorted(parent(project, trial).data.metrics[column] for trial in TRIALS)
        expect(page.get_by_role("columnheader", name=column).first).to_be_visible()
        shown = [float(text) for text in mlflow_page.cells(page, column) if text != "-"]
        assert sorted(shown) == pytest.approx(told, abs=1e-6)
    mlflow_page.unfold(page, "bce")
    expect(page.get_by_role("link", name="seed 0")).to_be_visible()
    names = mlflow_page.names(page)
    below = names.index("bce") + 1
    assert sorted(names[below : below + len(SEEDS)]) == [f"seed {seed}" for seed in SEEDS]
    assert len(names) == 1 + len(TRIALS) + len(SEEDS)


def test_compare_draws_the_mean_curves_of_the_trials_that_were_chosen(page, project):
    mlflow_page.choose(page, *NETS)
    metrics = mlflow_page.compare(page)
    expect(page.get_by_role("heading", name="Comparing 2 Runs")).to_be_visible()
    curve = mlflow_page.scroll_to(page, metrics, CURVE)
    last = f"{parent(project, NETS[0]).data.metrics[CURVE]:.3f}".rstrip("0")  # as the table rounds
    expect(metrics.get_by_text(last, exact=True).first).to_be_visible()
    curve.click()
    expect(page.get_by_role("heading", name=CURVE).first).to_be_visible()
    for net in NETS:
        expect(page.get_by_text(f"{net} ({CURVE})")).to_be_visible()
    expect(page.locator("path.js-line[style*='stroke-opacity: 1;']")).to_have_count(len(NETS))
    client = connection.connect(project.record)
    for net in NETS:
        children = [run.info.run_id for run in project.runs("run", STUDY) if run.data.tags["trial"] == f"{STUDY}/{net}"]
        curves = reading.curves(client, children)
        assert sorted(set(curves["epoch"])) == list(range(1, EPOCHS + 1))
        mean = curves[curves["curve"] == CURVE].groupby("epoch")["value"].mean()
        line = page.get_by_role("row").filter(has=page.get_by_role("link", name=net))
        shown = [float(text) for text in re.findall(r"(\S+) \(step=", line.inner_text())]
        assert shown == pytest.approx([mean.loc[EPOCHS], mean.min(), mean.max()], abs=1e-9)


def test_charts_begin_with_the_curves_and_are_grouped_by_part_and_rule(page, project):
    mlflow_page.draw_charts(page)
    sections = page.get_by_test_id(mlflow_page.SECTION)
    titles = [text.split("\n")[0] for text in sections.all_inner_texts()]
    assert titles[: len(ui.SECTIONS)] == list(ui.SECTIONS)
    assert {"validation/half", "crossfit/per_label", "floor/zeros"} <= set(titles)
    first = page.get_by_test_id(mlflow_page.CHART).first
    expect(first).to_contain_text("curve/")
    assert mlflow_page.line_colours(page) == {parent(project, net).data.tags[opening.COLOUR] for net in NETS}


def test_the_page_draws_what_the_view_of_trials_alone_says(page):
    page.get_by_test_id("saved-views-trigger").click()
    page.get_by_text("Trials alone").click()
    expect(page.get_by_text(f"{len(TRIALS)} matching runs")).to_be_visible()
    assert sorted(mlflow_page.names(page)) == sorted(TRIALS)


def drawn_size(project: Project) -> tuple[int, int]:
    """Width and height of the learning curves as they were drawn."""
    client = connection.connect(project.record)
    file = client.download_artifacts(parent(project, "bce").info.run_id, "figures/learning_curves.png")
    height, width = plt.imread(file).shape[:2]
    return width, height


def test_figures_and_tables_of_a_trial_are_previewed(page, project):
    page.get_by_role("link", name="bce").click()
    expect(page.get_by_text(parent(project, "bce").data.tags[writing.NOTE].split("\n")[0])).to_be_visible()
    page.get_by_role("tab", name="Artifacts").click()
    page.get_by_text("summary.csv").click()
    expect(page.get_by_role("columnheader", name="mean")).to_be_visible()
    row = page.get_by_role("row").nth(1)
    assert row.inner_text().startswith("test/"), "what has an interval comes first"
    page.get_by_text("figures", exact=True).click()
    page.get_by_text("learning_curves.png").click()
    picture = page.get_by_role("img", name="learning_curves.png")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => [image.naturalWidth, image.naturalHeight]") == list(drawn_size(project))


def test_files_of_a_seed_are_previewed(page):
    mlflow_page.unfold(page, "bce")
    page.get_by_role("link", name="seed 1").click()
    page.get_by_role("tab", name="Artifacts").click()
    page.get_by_text("per_label.csv").click()
    expect(page.get_by_role("columnheader", name="label").first).to_be_visible()
    page.get_by_text("trial.yaml").click()
    expect(page.get_by_text("kind: bce").first).to_be_visible()


def test_nothing_recorded_is_said_in_one_line_and_makes_no_folder(tmp_path):
    empty = Project(tmp_path)
    out, err = empty.do("ui", code=2)
    assert out == ""
    assert err.splitlines() == [
        f"rarelabels: nothing is recorded yet in {tmp_path}/runs/mlflow.db; begin with `make quick`"
    ]
    assert not (tmp_path / "runs").exists()


def test_a_port_that_is_taken_is_said_in_one_line(project):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        _, err = project.do("ui", "--port", str(port), code=2)
    assert len(err.splitlines()) == 1
    assert f"port {port} is taken" in err
    assert f"rarelabels ui --port {port + 1}" in err


def test_of_a_server_the_links_are_its_own(project, link, monkeypatch):
    server = link.partition("/#")[0]
    monkeypatch.setitem(project.environment, "MLFLOW_TRACKING_URI", server)
    out, _ = project.do("ui")
    assert "The record is on a server" in out
    assert link in out.split()


SECRET = "a long enough one"


def test_other_machines_are_let_in_by_name_and_password_only(project):
    """The page, its links and this suite's own reading all go through MLflow's basic auth."""
    with mlflow_page.served(project, "--host", "0.0.0.0", MLFLOW_AUTH_ADMIN_PASSWORD=SECRET) as links:
        (link,) = links.values()
        address, _, _path = link.partition("/#")
        assert address.startswith(f"http://{socket.gethostname()}:")
        here = f"http://127.0.0.1:{address.rpartition(':')[2]}"
        for host, status in ((address.removeprefix("http://"), 200), ("10.1.2.3:5000", 200), ("evil.example", 403)):
            asked = requests.get(here, auth=("admin", SECRET), headers={"Host": host}, timeout=30)
            assert asked.status_code == status, host
        for name, password, status in ((None, None, 401), ("admin", "password1234", 401), ("admin", SECRET, 200)):
            for asked in ("/", "/ajax-api/2.0/mlflow/experiments/search?max_results=9"):
                auth = (name, password) if name else None
                assert requests.get(here + asked, auth=auth, timeout=30).status_code == status, (name, asked)
        reader = dict(project.environment)
        project.environment |= {"MLFLOW_TRACKING_URI": here, "MLFLOW_TRACKING_USERNAME": "admin"}
        try:
            project.environment["MLFLOW_TRACKING_PASSWORD"] = "wrong"
            _, err = project.do("results", STUDY, code=2)
            assert len(err.splitlines()) == 1
            assert "wrong" not in err
            project.environment["MLFLOW_TRACKING_PASSWORD"] = SECRET
            out, _ = project.do("results", STUDY)
            assert "pos_weight_sqrt" in out
        finally:
            project.environment = reader
    users = project.folder / "runs" / "users"
    assert users.stat().st_mode & 0o077 == 0
    assert {path.name: path.stat().st_mode & 0o777 for path in users.iterdir()} == {
        "basic_auth.ini": 0o600,
        "users.db": 0o600,
    }
    assert SECRET not in (users / "basic_auth.ini").read_text("utf-8")
    for changed, opens in ((None, SECRET), (f"{SECRET} and new", f"{SECRET} and new")):
        given = {"MLFLOW_AUTH_ADMIN_PASSWORD": changed} if changed else {}
        with mlflow_page.served(project, "--host", "0.0.0.0", **given) as links:  # its users are known from before
            here = f"http://127.0.0.1:{links[STUDY].partition('/#')[0].rpartition(':')[2]}"
            for password in (SECRET, f"{SECRET} and new"):
                status = requests.get(here, auth=("admin", password), timeout=30).status_code
                assert status == (200 if password == opens else 401), (changed, password)


@pytest.mark.parametrize(
    ("password", "says"),
    [("", "of 12 characters or more; given none"), ("password123", "of 12 characters or more; given 11 characters")],
)
def test_without_a_password_of_some_length_other_machines_are_not_let_in(project, tmp_path, password, says):
    made = Project(tmp_path, declared=False)
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "mlflow.db").symlink_to(project.folder / "runs" / "mlflow.db")
    made.environment["MLFLOW_AUTH_ADMIN_PASSWORD"] = password
    _, err = made.do("ui", "--host", "0.0.0.0", code=2)
    (line,) = err.splitlines()
    assert says in line
    assert not password or password not in line
    assert not (tmp_path / "runs" / "users").exists()


def test_an_address_that_is_not_of_this_machine_is_said_in_one_line(project, monkeypatch):
    monkeypatch.setitem(project.environment, "MLFLOW_AUTH_ADMIN_PASSWORD", SECRET)
    _, err = project.do("ui", "--host", "192.0.2.1", code=2)
    assert err.splitlines() == [
        "rarelabels: --host 192.0.2.1: is no address of this machine (Cannot assign requested address)"
    ]
