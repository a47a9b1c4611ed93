"""The sample data can be made again."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from recipe_kit.project import Project


def test_the_sample_data_is_what_its_script_writes(recipe_project: Project, tmp_path: Path) -> None:
    script = recipe_project.root / "scripts" / "make_sample_data.py"
    subprocess.run([sys.executable, script, tmp_path], check=True)
    for name in ("sample_training_data.csv", "sample_scoring_data.csv"):
        assert (tmp_path / name).read_bytes() == (recipe_project.data_folder / name).read_bytes()
