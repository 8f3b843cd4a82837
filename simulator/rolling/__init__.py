"""Rolling a book forward to a new start month."""

from simulator.rolling.book import LIST, Rolled, roll, rolled_study
from simulator.rolling.files import RollError

__all__ = ["LIST", "RollError", "Rolled", "roll", "rolled_study"]
