"""Methods: from logits to a rating. One file per method."""
