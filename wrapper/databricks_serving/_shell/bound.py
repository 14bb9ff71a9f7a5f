"""What handles for one endpoint are in both clients."""

from typing import Any, Generic, NoReturn, TypeVar

from databricks_serving._core.bound import Binding
from databricks_serving._shell.caller import BaseCaller

CallerT = TypeVar("CallerT", bound=BaseCaller[Any, Any])
ResultT = TypeVar("ResultT")


class BaseEndpoint(Generic[CallerT, ResultT]):
    """A handle for one endpoint: its name, its task, and what is bound to its calls."""

    __slots__ = ("_binding", "_caller")

    _binding: Binding[ResultT]
    _caller: CallerT

    def __init__(self, caller: CallerT, binding: Binding[ResultT]) -> None:
        object.__setattr__(self, "_caller", caller)
        object.__setattr__(self, "_binding", binding)

    @property
    def name(self) -> str:
        """Name of the endpoint; cluster and port of an app behind a driver proxy."""
        return self._binding.name

    @property
    def task(self) -> str:
        """What the endpoint does, as `client.endpoint` takes it."""
        return self._binding.task

    def __repr__(self) -> str:
        # Defaults may hold what a user wrote.
        names = ", ".join(self._binding.defaults)
        defaults = f", defaults=[{names}]" if names else ""
        return f"{type(self).__name__}({self.name!r}, task={self.task!r}{defaults})"

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"cannot set {name}: a handle does not change; make another")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"cannot delete {name}: a handle does not change; make another")

    def __reduce__(self) -> NoReturn:
        raise TypeError("a handle cannot be pickled or copied: its client holds a connection")
