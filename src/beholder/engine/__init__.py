"""Many files through one scorer."""
