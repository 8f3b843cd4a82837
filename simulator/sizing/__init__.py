"""How much a facility can lend, or how it must be built, to keep its risk under a target.

>>> import simulator
>>> found = simulator.size(
...     "study.yaml", facility="TERM-A", target="P(loss) <= 1%"
... )  # doctest: +SKIP
>>> print(found)  # doctest: +SKIP
"""

from simulator.sizing.levers import LEVERS, Lever, SizingError
from simulator.sizing.solve import size
from simulator.sizing.target import Target, parse_target
from simulator.sizing.told import Point, Sizing

__all__ = ["LEVERS", "Lever", "Point", "Sizing", "SizingError", "Target", "parse_target", "size"]
