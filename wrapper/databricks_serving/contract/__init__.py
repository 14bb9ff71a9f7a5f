"""What helps when a contract changes: the command `databricks-serving contract`, as functions.

::

    from databricks_serving import contract

    comparison = contract.compare("installed", "openapi.yaml")
    for difference in comparison.differences:
        print(difference.severity.value, difference.path, difference.message)
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from databricks_serving.contract.diff.report import Comparison, compare
    from databricks_serving.contract.diff.verdict import Bump, Difference, Severity
else:
    # The packages that `contract endpoint` makes import a module beside this one.
    _HOMES = {
        "Bump": "diff.verdict",
        "Comparison": "diff.report",
        "Difference": "diff.verdict",
        "Severity": "diff.verdict",
        "compare": "diff.report",
    }

    def __getattr__(name: str) -> Any:
        """Import a public name when it is first asked for."""
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        """List the public names, imported or not."""
        return sorted({*globals(), *__all__})


__all__ = ["Bump", "Comparison", "Difference", "Severity", "compare"]
