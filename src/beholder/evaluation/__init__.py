"""From score tables to reports."""
