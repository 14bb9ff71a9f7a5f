"""Files of other tools, made into folders of recordings."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

from databricks_serving.errors import ServingError
from databricks_serving.testing._cassettes.scrubbing import Scrubber
from databricks_serving.testing._cassettes.shelf import read_folder, save_folder
from databricks_serving.testing._errors import RecordingError
from databricks_serving.testing._importing import har, vcr
from databricks_serving.testing._importing.exchange import Exchange, recordings_of
from databricks_serving.testing._importing.result import ImportResult, PassedOver
from databricks_serving.testing._recording import Recording

_READERS: Final[dict[str, tuple[str, Callable[[str], Iterator[Exchange]]]]] = {
    ".har": ("HAR file", har.exchanges_of),
    ".json": ("HAR file", har.exchanges_of),
    ".yaml": ("cassette of VCR", vcr.exchanges_of),
    ".yml": ("cassette of VCR", vcr.exchanges_of),
}


def import_recordings(
    source: str | Path, folder: str | Path, *, scrubber: Scrubber | None = None
) -> ImportResult:
    """Make recordings of what another tool has recorded, and put them beside those of a folder.

    Only exchanges with model-serving endpoints are taken; tokens, hosts and chosen fields are taken
    out of them. What the folder has already is not written again.

    Args:
        source: A cassette of VCR in YAML, or a HAR file.
        folder: Where the recordings go.
        scrubber: What is taken out; secrets and hosts always are.

    Returns:
        The recordings that were written, and how many exchanges were passed over and why.

    Raises:
        RecordingError: When the file or a recording of the folder cannot be read, or the folder not
            be written.
        ConfigError: When ruamel.yaml is not installed and needed.
    """
    path = Path(source)
    if path.suffix.lower() not in _READERS:
        raise RecordingError(f"{source}: not known: a cassette of VCR is .yaml, a HAR file .har")
    kind, read = _READERS[path.suffix.lower()]
    try:
        exchanges = read(path.read_text(encoding="utf-8"))
        found = list(recordings_of(exchanges, scrubber or Scrubber()))
    except OSError as error:
        raise RecordingError(f"{source}: cannot be read: {error.strerror}") from None
    except KeyError as error:
        raise RecordingError(f"{source}: no {kind}: the key {error} is missing") from None
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        if isinstance(error, ServingError):
            raise
        raise RecordingError(f"{source}: no {kind}: {_problem(error)}") from None
    passed_over: Counter[PassedOver] = Counter(
        one for one in found if not isinstance(one, Recording)
    )
    recordings = [one for one in found if isinstance(one, Recording)]
    fresh = _fresh(recordings, read_folder(Path(folder)).values())
    if len(fresh) < len(recordings):
        passed_over["already_there"] = len(recordings) - len(fresh)
    save_folder(Path(folder), fresh, keep=True)
    return ImportResult(folder=Path(folder), recordings=fresh, passed_over=passed_over)


def _fresh(recordings: Iterable[Recording], there: Iterable[Recording]) -> list[Recording]:
    """Return the recordings that a folder does not have; of equal ones those beyond its number."""
    left = Counter(one.to_json() for one in there)
    fresh: list[Recording] = []
    for one in recordings:
        text = one.to_json()
        if left[text]:
            left[text] -= 1
        else:
            fresh.append(one)
    return fresh


def _problem(error: Exception) -> str:
    """Say what is wrong with a file without what is in it."""
    if isinstance(error, UnicodeDecodeError):
        return "it is not a text in UTF-8"
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, ValueError):
        return "it cannot be parsed"
    return "it has another form"
