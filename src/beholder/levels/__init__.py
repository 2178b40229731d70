"""What the level words are worth: plain arithmetic on probabilities, no model in sight."""
