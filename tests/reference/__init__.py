"""The model of docs/model.md once more, in plain Python, one path at a time.

Written from the document alone, as an oracle for the engine; see path.py for the story.
"""

from tests.reference.market import ReferencePath, reference_path
from tests.reference.outcome import Outcome
from tests.reference.path import simulate_path

__all__ = ["Outcome", "ReferencePath", "reference_path", "simulate_path"]
