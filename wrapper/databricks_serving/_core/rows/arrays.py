"""Arrays of numpy as lists, whole columns at a time."""

import base64
import sys
from typing import TYPE_CHECKING, Any, Final, TypeGuard

from databricks_serving._core.rows.unfit import COMPLEX, DURATION, INFINITE, MISSING, UnfitError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_PLAIN: Final = "biuUO"
# Wider floats have digits that JSON readers drop.
_FLOAT_BYTES: Final = 8
_UNITS: Final = ("s", "ms", "us")
_REFUSED: Final = {"c": COMPLEX, "m": DURATION}


def is_array(value: object) -> "TypeGuard[NDArray[Any] | np.generic]":
    """Tell whether a value is an array or a number of numpy, without importing numpy."""
    numpy: Any = sys.modules.get("numpy")
    return numpy is not None and isinstance(value, (numpy.ndarray, numpy.generic))


def _numpy() -> Any:
    # Where there is an array, it is loaded.
    return sys.modules["numpy"]


def array_values(array: "NDArray[Any] | np.generic", *, gaps: bool) -> Any:
    """Return an array as nested lists, or a number of numpy as one of Python.

    Objects inside stay as they are.

    Args:
        array: The array.
        gaps: Whether values may be missing, to become null.

    Raises:
        UnfitError: With the place of the first value that JSON cannot hold.
    """
    np = _numpy()
    kind = array.dtype.kind
    if kind in _PLAIN:
        return array.tolist()
    if kind == "f" and array.dtype.itemsize <= _FLOAT_BYTES:
        return _floats(np.asarray(array), gaps=gaps)
    if kind == "M":
        return _moments(np.asarray(array), gaps=gaps)
    if kind == "S":
        return _texts(array.tolist())
    raise UnfitError(_REFUSED.get(kind, f"is of numpy's type {array.dtype}"))


def _floats(array: Any, *, gaps: bool) -> Any:
    np = _numpy()
    if np.isfinite(array).all():
        return array.tolist()
    _refuse(np.isinf(array), INFINITE)
    return _with_gaps(array, np.isnan(array), gaps=gaps)


def _moments(array: Any, *, gaps: bool) -> Any:
    np = _numpy()
    missing = np.isnat(array)
    texts = np.datetime_as_string(array, unit=_unit(array[~missing]))
    return _with_gaps(np.asarray(texts), missing, gaps=gaps)


def _unit(moments: Any) -> str:
    """Return the coarsest unit that loses nothing: a day has no hours, a minute has seconds."""
    own: str = moments.dtype.str.partition("[")[2].rstrip("]")
    for unit in _UNITS if own in {"ms", "us", "ns"} else ():
        if (moments.astype(f"M8[{unit}]") == moments).all():
            return unit
    # Where nothing but NaT is there, it may have no unit.
    return own.lstrip("0123456789") or "s"


def _with_gaps(array: Any, missing: Any, *, gaps: bool) -> Any:
    if not missing.any():
        return array.tolist()
    if not gaps:
        _refuse(missing, MISSING)
    filled = array.astype(object)
    filled[missing] = None
    return filled.tolist()


def _refuse(wrong: Any, fault: str) -> None:
    if wrong.any():
        places: Any = wrong.nonzero() if wrong.ndim else ()
        raise UnfitError(fault, "".join(f"[{axis[0]}]" for axis in places))


def _texts(value: Any) -> Any:
    if isinstance(value, list):
        return [_texts(item) for item in value]  # pyright: ignore[reportUnknownVariableType] - bytes at any depth
    return base64.b64encode(value).decode("ascii")
