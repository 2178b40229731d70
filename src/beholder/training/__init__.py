"""Teach a model to say the levels."""
