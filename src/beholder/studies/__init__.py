"""People's votes → opinions: screening, recovery of bias, comparisons to a scale."""
