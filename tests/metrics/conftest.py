"""The recorded numbers, where they are there."""

import json
from pathlib import Path

import numpy as np
import pytest

STATS = Path(__file__).parents[3] / "shared" / "fixtures" / "stats"


@pytest.fixture(scope="session")
def golden():
    """Read a file of recorded numbers: `golden("1_correlations/cases.json")`."""

    def read(name):
        path = STATS / name
        if not path.is_file():
            pytest.skip(f"{path} is not here: recorded numbers lie beside the repository")
        return json.loads(path.read_text())

    return read


@pytest.fixture(scope="session")
def vector():
    """Turn a recorded list into a vector; "NaN" is NaN."""
    return lambda values: np.array([float(value) for value in values])
