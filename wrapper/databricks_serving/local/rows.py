"""Requests of custom models, as MLflow's scoring server takes them."""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, Final

from databricks_serving.local.errors import RefusedError
from databricks_serving.local.jsontypes import is_list, is_object
from databricks_serving.local.shapes import boolean, map_of, open_object, string

OPTIONS: Final = open_object({"return_trace": boolean, "conversation_id": string()})
# What the platform itself reads beside the rows.
_BESIDE: Final = open_object(
    {
        "stream": boolean,
        "client_request_id": string(),
        "usage_context": map_of(string()),
        "databricks_options": OPTIONS,
    }
)
_SPLIT_KEYS: Final = ("columns", "index", "data")


def check_rows(request: Any, _path: str) -> None:
    """One of the four forms of rows, and parameters; other keys are passed over."""
    forms = [name for name in FORMS if is_object(request) and request.get(name) is not None]
    if len(forms) != 1:
        found = ", ".join(map(repr, forms)) or "none of them"
        raise _refused(f"The request must have exactly one of {', '.join(FORMS)}; found {found}.")
    FORMS[forms[0]](request[forms[0]])
    if not (request.get("params") is None or is_object(request["params"])):
        raise _refused("params must be an object.")
    _BESIDE(request, "")


def _check_split(split: Any) -> None:
    if not is_object(split):
        raise _refused("dataframe_split must be an object.")
    if "data" not in split or not split.keys() <= set(_SPLIT_KEYS):
        raise _refused("dataframe_split must have data, may have columns and index, and no more.")
    data, columns, index = split["data"], split.get("columns"), split.get("index")
    if not is_list(data):
        raise _refused("dataframe_split.data must be a list.")
    if is_list(columns) and any(is_list(row) and len(row) != len(columns) for row in data):
        raise _refused(f"dataframe_split has {len(columns)} columns, and rows of another length.")
    if is_list(index) and len(index) != len(data):
        raise _refused(f"dataframe_split has {len(index)} labels, and {len(data)} rows.")


def _check_records(records: Any) -> None:
    if not (is_list(records) and all(map(is_object, records))):
        raise _refused("dataframe_records must be a list of objects.")


def _check_instances(instances: Any) -> None:
    if not is_list(instances):
        raise _refused("instances must be a list.")


def _check_inputs(inputs: Any) -> None:
    if not (is_list(inputs) or is_object(inputs)):
        raise _refused("inputs must be a list or an object of named tensors.")


def _refused(message: str) -> RefusedError:
    return RefusedError(HTTPStatus.BAD_REQUEST, "BAD_REQUEST", message)


FORMS: Final[Mapping[str, Callable[[Any], None]]] = {
    "dataframe_split": _check_split,
    "dataframe_records": _check_records,
    "instances": _check_instances,
    "inputs": _check_inputs,
}
