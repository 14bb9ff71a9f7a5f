"""Errors of answers that came, and are not what they were asked to be."""

from typing import TYPE_CHECKING

from databricks_serving.errors._root import ServingError

if TYPE_CHECKING:
    from databricks_serving._tool_runs import ToolRun


class ToolLoopError(ServingError):
    """A run of tools came to no end: the model went on calling them.

    Attributes:
        run: What was done: the conversation, the turns, the tokens.
    """

    maybe_executed: bool = True

    def __init__(self, message: str, run: "ToolRun | None" = None) -> None:
        super().__init__(message)
        self.run = run
