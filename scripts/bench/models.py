"""Times generated models against the generator's stock output for the same contract."""

import importlib
import json
import subprocess
import sys
import tempfile
import timeit
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "generated")]  # neither need be installed

from codegen.project import project  # noqa: E402 - needs the path above
from codegen.regenerate import SPEC, check_versions  # noqa: E402

ROUNDS = 25
CHUNK = {
    "id": "chatcmpl-1",
    "object": "chat.completion.chunk",
    "created": 1790000000,
    "model": "gpt-oss-120b",
    "choices": [{"index": 0, "delta": {"role": "assistant", "content": " the"}}],
    "usage": {"prompt_tokens": 12, "completion_tokens": 7, "total_tokens": 19},
}
ANSWER = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1790000000,
    "model": "gpt-oss-120b",
    "choices": [
        {
            "index": 0,
            "message": {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {
                        "id": "call_1",
                        "type": "function",
                        "function": {"name": "weather", "arguments": '{"city": "Bergen"}'},
                    }
                ],
            },
            "finish_reason": "tool_calls",
        }
    ],
    "usage": {
        "prompt_tokens": 12,
        "completion_tokens": 7,
        "total_tokens": 19,
        "prompt_tokens_details": {"cached_tokens": 0},
    },
}
REQUEST = {
    "messages": [
        {"role": "system", "content": "Answer briefly."},
        *(
            {
                "role": ("user", "assistant")[turn % 2],
                "content": [{"type": "text", "text": f"Turn {turn}."}],
            }
            for turn in range(19)
        ),
    ],
    "temperature": 0.2,
    "max_tokens": 500,
}


class Case(NamedTuple):
    """One operation on one payload, and how long it may take relative to stock."""

    name: str
    model: str
    payload: dict[str, Any]
    writes: bool
    target: float


CASES = (
    Case("from_dict, chat chunk", "ChatCompletionChunk", CHUNK, writes=False, target=0.33),
    Case("from_dict, chat answer", "ChatCompletion", ANSWER, writes=False, target=0.33),
    Case("to_dict, 20-message request", "ChatRequest", REQUEST, writes=True, target=0.15),
)


def main() -> int:
    """Print the table; return 1 if a target is missed."""
    check_versions()
    with tempfile.TemporaryDirectory() as scratch:
        generate_stock(Path(scratch))
        sys.path.insert(0, scratch)
        ours = importlib.import_module("databricks_serving_api.models")
        stock = importlib.import_module("stock_api.models")
        print(f"{'case':30} {'stock us':>9} {'ours us':>9} {'ratio':>7} {'target':>7}")
        met = [report(case, *measure(case, ours, stock)) for case in CASES]
    return int(not all(met))


def report(case: Case, ours: float, stock: float) -> bool:
    """Print one line of the table; tell whether the target is met."""
    ratio = ours / stock
    verdict = "PASS" if ratio <= case.target else "FAIL"
    times = f"{stock:9.2f} {ours:9.2f} {ratio:7.2f} {case.target:7.2f}"
    print(f"{case.name:30} {times}  {verdict}")
    return verdict == "PASS"


def generate_stock(scratch: Path) -> None:
    """Run the generator with its own templates on the projected contract."""
    from ruamel.yaml import YAML  # noqa: PLC0415 - a missing tool is reported before this

    yaml: Any = YAML(typ="safe", pure=True)
    document = scratch / "projected.json"
    document.write_text(json.dumps(project(yaml.load(SPEC.read_bytes()))), encoding="utf-8")
    config = scratch / "config.yaml"
    config.write_text("literal_enums: true\npost_hooks: []\n", encoding="utf-8")
    command = [sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none"]
    options = ["--path", document, "--config", config, "--output-path", scratch / "stock_api"]
    subprocess.run([*command, *map(str, options)], check=True, capture_output=True)


def measure(case: Case, *modules: Any) -> Iterator[float]:
    """Yield the best time of each module in microseconds; rounds are interleaved."""
    calls = [_call(case, getattr(module, case.model)) for module in modules]
    number = 500
    rounds = [[timeit.timeit(call, number=number) for call in calls] for _ in range(ROUNDS)]
    for times in zip(*rounds, strict=True):
        yield min(times) / number * 1e6


def _call(case: Case, model: Any) -> Callable[[], object]:
    instance = model.from_dict(case.payload)
    if instance.to_dict() != case.payload:
        raise AssertionError(f"{model} does not keep the payload of {case.name}")
    return instance.to_dict if case.writes else lambda: model.from_dict(case.payload)


if __name__ == "__main__":
    sys.exit(main())
