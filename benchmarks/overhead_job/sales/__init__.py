"""A small gradient-boosting job."""

from __future__ import annotations
