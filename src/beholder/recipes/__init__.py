"""Recipes: one small TOML per released model."""
