"""Where the contract of a model comes from: an endpoint, or a file."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

from databricks_serving.contract.endpoint.names import package_name
from databricks_serving.contract.endpoint.nodes import mapping
from databricks_serving.contract.endpoint.openapi import contract_of_openapi, endpoint_of_openapi
from databricks_serving.contract.endpoint.signature import contract_of_signature
from databricks_serving.contract.endpoint.types import Contract
from databricks_serving.contract.texts import parsed, read_text
from databricks_serving.errors import (
    InvalidRequestError,
    InvalidResponseError,
    NotFoundError,
)

_MLMODEL: Final = "MLmodel"
_SUFFIXES: Final = (".json", ".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class Source:
    """A contract, and what it is called.

    Attributes:
        contract: What the model takes and gives.
        origin: Where it is from, for people: `the endpoint wine`, or the name of a file.
        endpoint: The endpoint that has it, if that is known.
        stem: What the package is called after.
    """

    contract: Contract
    origin: str
    endpoint: str | None
    stem: str

    @property
    def package(self) -> str:
        """The name of the package, unless another one is asked for.

        Raises:
            InvalidRequestError: When there is none.
        """
        return package_name(self.stem)


def read_source(given: str, served_model: str | None = None) -> Source:
    """Read the contract of an endpoint or of a file.

    Args:
        given: A file, a directory with an MLmodel file, or the name of an endpoint.
        served_model: The served model whose contract is wanted, where an endpoint has several.

    Raises:
        InvalidRequestError: When there is no contract, or none that can be used.
        ConfigError: When there is no login, or what reads the file is not installed.
        ServingError: When the workspace could not be asked.
    """
    path = Path(given)
    if path.is_dir():
        path /= _MLMODEL
    if path.is_file() or path.name == _MLMODEL or path.suffix in _SUFFIXES or "/" in given:
        return _of_file(path, served_model)
    return _of_endpoint(given, served_model)


def _of_file(path: Path, served_model: str | None) -> Source:
    content = read_text(path)
    stem = path.resolve().parent.name if path.name == _MLMODEL else path.stem
    node = parsed(content, str(path))
    if not isinstance(node, Mapping):
        raise InvalidRequestError(f"{path}: neither an OpenAPI document nor a signature")
    document = cast("Mapping[str, Any]", node)
    contract = _contract(document, str(path), served_model)
    endpoint = endpoint_of_openapi(document)
    return Source(contract, path.name, endpoint, endpoint or stem)


def _of_endpoint(name: str, served_model: str | None) -> Source:
    from databricks_serving import ServingClient  # noqa: PLC0415 - a file needs no HTTP stack

    with ServingClient() as client:
        try:
            document = client.endpoints.get_openapi(name).to_dict()
        except NotFoundError:
            raise InvalidRequestError(
                f"endpoint {name!r}: the workspace has no endpoint of this name with a contract: "
                "check the name, or pass the MLmodel file of the model"
            ) from None
        except InvalidResponseError as error:
            raise InvalidRequestError(
                f"endpoint {name!r} has no contract of its own ({error}): log its model with a "
                "signature, or pass a file that has one"
            ) from None
    contract = _contract(document, f"endpoint {name!r}", served_model)
    return Source(contract, f"the endpoint {name}", name, name)


def _contract(document: Mapping[str, Any], source: str, served_model: str | None) -> Contract:
    try:
        if "openapi" in document:
            return contract_of_openapi(document, served_model)
        if "inputs" in document:
            return contract_of_signature(document)
        if "signature" in document:
            return contract_of_signature(mapping(document["signature"], "signature"))
    except InvalidRequestError as error:
        raise InvalidRequestError(f"{source}: {error}") from None
    except RecursionError:
        raise InvalidRequestError(f"{source}: nested too deep, or contains itself") from None
    missing = "the MLmodel file has no signature" if "flavors" in document else "no signature there"
    raise InvalidRequestError(
        f"{source}: {missing}: log the model with a signature, or with an input example that "
        "MLflow makes one from"
    )
