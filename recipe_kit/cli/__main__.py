"""`python -m recipe_kit.cli`, where the command is not on the PATH."""

from __future__ import annotations

import sys

from recipe_kit.cli import main

if __name__ == "__main__":
    sys.exit(main())
