"""iris: the small model in the package. A large multimodal model in miniature, taught by us.

It sees statistics of 32-pixel cells, reads one of the ten questions of the Q-Align syllabus and
answers it; the score is the expectation over the words excellent, good, fair, poor and bad.
"""

from beholder.backbones.iris.model import Iris, load

__all__ = ["Iris", "load"]
