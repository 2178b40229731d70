"""Models: anything that returns one logit per candidate word."""
