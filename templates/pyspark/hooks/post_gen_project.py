"""Lets the new project write its own sample data."""

from __future__ import annotations

import runpy

runpy.run_path("scripts/make_sample_data.py", run_name="__main__")
