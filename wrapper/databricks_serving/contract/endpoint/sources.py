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
    ConfigError,
    InvalidRequestError,
    InvalidResponseError,
    NotFoundError,
    ServingError,
)

_MLMODEL: Final = "MLmodel"
_SUFFIXES: Final = (".json", ".yaml", ".yml")
# What the client has typed calls for.
_CALLED_BY: Final = {
    "llm/v1/chat": "client.chat.completions",
    "llm/v1/completions": "client.completions",
    "llm/v1/embeddings": "client.embeddings",
}


@dataclass(frozen=True, slots=True)
class Source:
    """A contract, and what it is called.

    Attributes:
        contract: What the model takes and gives.
        origin: Where it is from, for people: `the endpoint wine`, or the name of a file.
        endpoint: The endpoint that has it, if that is known.
    """

    contract: Contract
    origin: str
    endpoint: str | None


@dataclass(frozen=True, slots=True)
class Document:
    """What holds a contract: an OpenAPI document, or a signature.

    Attributes:
        content: The document.
        name: What errors call it.
        origin: Where it is from, for people: `the endpoint wine`, or the name of a file.
        endpoint: The endpoint that has it, if that is known.
        stem: What the package is called after.
        folder: The folder of the model that it is in, if it is in one.
        is_asked: Whether the endpoint has given it.
    """

    content: Mapping[str, Any]
    name: str
    origin: str
    endpoint: str | None
    stem: str
    folder: Path | None = None
    is_asked: bool = False

    def package_in(self, directory: Path) -> str:
        """Return the name of the package, unless another one is asked for.

        Raises:
            InvalidRequestError: When there is none.
        """
        name = package_name(self.stem)
        is_taken = self.folder is not None and (directory / name).resolve() == self.folder
        return f"{name}_client" if is_taken else name

    def source(self, served_model: str | None = None, endpoint: str | None = None) -> Source:
        """Read the contract.

        Args:
            served_model: The served model whose contract is wanted, where an endpoint has several.
            endpoint: The endpoint to call, where that is not the one that has the contract.

        Raises:
            ConfigError: When what reads a part of it is not installed.
            InvalidRequestError: When there is no contract, or none that can be used.
        """
        try:
            contract = _contract(self.content, self.name, served_model)
        except InvalidRequestError:
            if self.is_asked and self.endpoint and served_model is None:
                _refuse_known_task(self.endpoint)
            raise
        return Source(contract, self.origin, endpoint or self.endpoint)


def read_document(given: str) -> Document:
    """Read what holds a contract.

    Args:
        given: A file, a directory with an MLmodel file, or the name of an endpoint.

    Raises:
        InvalidRequestError: When it is none.
        ConfigError: When there is no login, or what reads the file is not installed.
        ServingError: When the workspace could not be asked.
    """
    if not given:
        raise InvalidRequestError("no endpoint and no file is named")
    path = Path(given)
    if path.is_dir():
        path /= _MLMODEL
    if path.is_file() or path.name == _MLMODEL or path.suffix in _SUFFIXES or "/" in given:
        return _of_file(path)
    return _of_endpoint(given)


def _of_file(path: Path) -> Document:
    folder = path.resolve().parent if path.name == _MLMODEL else None
    node = parsed(read_text(path), str(path))
    if not isinstance(node, Mapping):
        raise InvalidRequestError(f"{path}: neither an OpenAPI document nor a signature")
    content = cast("Mapping[str, Any]", node)
    endpoint = endpoint_of_openapi(content)
    stem = path.stem if folder is None else folder.name
    return Document(content, str(path), path.name, endpoint, endpoint or stem, folder)


def _of_endpoint(name: str) -> Document:
    from databricks_serving import ServingClient  # noqa: PLC0415 - a file needs no HTTP stack

    with ServingClient() as client:
        try:
            content = client.endpoints.get_openapi(name).to_dict()
        except ConfigError as error:
            said = f"there is no file {name}, and the endpoint {name} cannot be asked: {error}"
            raise ConfigError(said) from None
        except NotFoundError:
            _refuse_known_task(name)
            raise InvalidRequestError(
                f"endpoint {name!r}: the workspace has no endpoint of this name with a contract: "
                "check the name, or pass the MLmodel file of the model"
            ) from None
        except InvalidResponseError as error:
            _refuse_known_task(name)
            raise InvalidRequestError(
                f"endpoint {name!r} has no contract of its own ({error}): log its model with a "
                "signature, or pass a file that has one"
            ) from None
    origin = f"the endpoint {name}"
    return Document(content, f"endpoint {name!r}", origin, name, name, is_asked=True)


def _refuse_known_task(name: str) -> None:
    """Say what calls an endpoint that needs no contract of its own, if it is one."""
    from databricks_serving import ServingClient  # noqa: PLC0415 - as above

    with ServingClient() as client:
        try:
            task = client.endpoints.get(name).task
        except ServingError:
            return
    called_by = _CALLED_BY.get(str(task))
    if called_by is not None:
        raise InvalidRequestError(
            f"endpoint {name!r} has the task {task} and needs no package: {called_by} calls it, "
            "with types of its own"
        ) from None


def _contract(document: Mapping[str, Any], source: str, served_model: str | None) -> Contract:
    if served_model is not None and "openapi" not in document:
        raise InvalidRequestError(
            f"{source}: a signature is of one model: leave --served-model out"
        )
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
