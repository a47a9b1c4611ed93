"""Where a task runs."""

from __future__ import annotations

from recipe_kit.runners.base import Runner, new_run_folder
from recipe_kit.runners.in_process import InProcessRunner
from recipe_kit.runners.isolated import IsolatedRunner

__all__ = ["InProcessRunner", "IsolatedRunner", "Runner", "new_run_folder"]
