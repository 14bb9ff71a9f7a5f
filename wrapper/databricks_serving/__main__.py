"""`python -m databricks_serving`."""

import sys

from databricks_serving.cli import main

if __name__ == "__main__":
    sys.exit(main())
