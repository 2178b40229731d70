"""The training scripts are no package of their own: put them within reach."""

import sys
from pathlib import Path

SCRIPTS = Path(__file__).parents[3] / "scripts" / "iris"

if str(SCRIPTS) not in sys.path:
    sys.path.insert(0, str(SCRIPTS))
