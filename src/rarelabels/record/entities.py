"""The parts of a record as they are read. They are shaped like MLflow's own objects, whose import takes seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class RunInfo:
    """Ids, name, status and times of a run; times are milliseconds since 1970."""

    run_id: str
    experiment_id: str
    run_name: str
    status: str
    start_time: int
    end_time: int | None
    artifact_uri: str


@dataclass(frozen=True)
class RunData:
    """Parameters, tags and metrics of a run. Metrics have their last values, and are empty if they were not read."""

    metrics: dict[str, float]
    params: dict[str, str]
    tags: dict[str, str]


@dataclass(frozen=True)
class Run:
    """A recorded run."""

    info: RunInfo
    data: RunData


@dataclass(frozen=True)
class Point:
    """One value of a metric; ``timestamp`` in milliseconds since 1970."""

    key: str
    value: float
    timestamp: int
    step: int


@dataclass(frozen=True)
class Experiment:
    """An experiment of MLflow's."""

    experiment_id: str
    name: str
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Version:
    """A registered version of a model, with the aliases that point to it."""

    name: str
    version: str
    run_id: str
    source: str
    tags: Mapping[str, str]
    aliases: tuple[str, ...]
