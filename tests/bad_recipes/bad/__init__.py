"""Recipes that break the contract, each in one way, and one that keeps it."""
