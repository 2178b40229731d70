"""The formats the field has: one file each, found by what a record holds."""
