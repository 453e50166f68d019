"""Tests beside modules that the addon knows but does not need; each skips where its module is not installed."""
