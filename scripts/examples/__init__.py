"""Renders the pictures and clips of `examples/`, and as many others of their kind as one likes."""
