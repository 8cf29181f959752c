"""Fixtures shared by all tests: a cache of their own, the real films, read once, and a folder to call commands in."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from matplotlib.figure import Figure
from threadpoolctl import threadpool_limits

from rarelabels.data import dataset, loading
from rarelabels.declare.data import MoviesSpec
from rarelabels.show.figures import house_style


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files go first, so that two processes end at about the same time."""
    longest = (
        *("test_experiments.py", "test_plain.py", "test_nothing_lost.py", "test_search.py", "test_parameters.py"),
        *("test_label_thresholds.py", "test_storage.py", "test_notebooks.py", "test_team.py", "test_verdicts.py"),
        *("test_training.py", "test_studies.py", "test_network.py", "test_ui.py", "test_cli_runs.py"),
        *("test_cli_mistakes.py", "test_cli_judge.py", "test_cli.py", "test_predictor.py", "test_page.py"),
        *("test_recorded_study.py", "test_runner.py", "test_all_probes.py"),
        *("test_curves.py", "test_loss_formulas.py"),
        *("test_extraction.py", "test_vgg19.py"),
    )
    items.sort(key=lambda item: longest.index(item.path.name) if item.path.name in longest else len(longest))


@pytest.fixture(scope="session")
def whole_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all processes of this run of the tests share: the one above theirs, if there are several."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(scope="session", autouse=True)
def film_cache(whole_run: Path) -> Iterator[Path]:
    """No test touches the user's cache; the processes of this run, and those that a test starts, share this one."""
    folder = whole_run / "cache"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RARELABELS_CACHE", str(folder))
        yield folder


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> Iterator[None]:
    """The processes of this run share the cores as workers do."""
    with threadpool_limits(limits=1):
        yield


@pytest.fixture(scope="session")
def films(film_cache: Path) -> dataset.Dataset:
    """The real films with 17 genres, seed 0."""
    return loading.load(MoviesSpec(kind="movies", labels=17), 0)


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """Return a folder with the repository's conf and experiments, for one test."""
    from project import Project  # which imports all commands; most tests need none

    return Project(tmp_path, genres=5).folder


@pytest.fixture
def saved(tmp_path: Path) -> Callable[[Figure], Figure]:
    """Every figure must also come out as a file."""

    def save(figure: Figure) -> Figure:
        house_style.save(figure, tmp_path / "figure.png")
        assert (tmp_path / "figure.png").stat().st_size > 10_000
        return figure

    return save
