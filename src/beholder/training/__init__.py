"""Teaching a model to say the levels: what is taught, how, and what comes out."""
