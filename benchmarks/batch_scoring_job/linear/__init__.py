"""A linear model."""

from __future__ import annotations
