"""The sentiment of reviews."""
