"""A trial as text: YAML with every key, flat parameters for MLflow, and the JSON schema of what may be declared."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from rarelabels.declare import safe_yaml
from rarelabels.declare.problems import PROSE, keys
from rarelabels.declare.trial import Trial


def dump(trial: Trial) -> str:
    """Return the whole trial as YAML; ``load_trial`` reads it back equal from a file of the same folder and name."""
    return safe_yaml.dump(_written(trial))


def flat(trial: Trial) -> dict[str, object]:
    """Return each key that ``--set`` takes, with its value: number, text, boolean, None; lists and mappings as JSON."""
    data = {key: value for key, value in _written(trial).items() if key not in PROSE}
    return dict(_flat(data, list(keys(Trial, data))))


def _written(trial: Trial) -> dict[str, Any]:
    return trial.model_dump(mode="json", exclude={"name"} | ({"vary"} if trial.vary is None else set()))


def _flat(data: Mapping[str, Any], known: Collection[str], above: str = "") -> Iterator[tuple[str, object]]:
    for name, value in data.items():
        if isinstance(value, Mapping) and any(key.startswith(f"{above}{name}.") for key in known):
            yield from _flat(value, known, f"{above}{name}.")
        else:  # a mapping from labels or columns is one value, as for --set
            yield above + name, json.dumps(value, ensure_ascii=False) if isinstance(value, (list, Mapping)) else value


def json_schema() -> dict[str, Any]:
    """Return the JSON schema of a trial's file, for editors. No key is required, as any key may come from a parent."""
    schema: dict[str, Any] = _without_kinds(Trial.model_json_schema())
    for block in (schema, *schema["$defs"].values()):
        block.pop("required", None)
    del schema["properties"]["name"]
    parent = {"type": "string", "description": "relative path of the YAML file that this file builds on"}
    schema["properties"] = {"extends": parent, **schema["properties"]}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _without_kinds(schema: Any) -> Any:
    """Let any block of a union fit, whatever its kind: the kind may stand in a parent."""
    if isinstance(schema, Mapping):
        kept = {key: _without_kinds(value) for key, value in schema.items() if key != "discriminator"}
        return {("anyOf" if key == "oneOf" else key): value for key, value in kept.items()}
    return [_without_kinds(one) for one in schema] if isinstance(schema, list) else schema
