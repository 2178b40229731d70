"""What is wrong with a data set, before anyone trains or tests on it."""
