"""Backbones that can learn: the file name is the name of the backbone."""
