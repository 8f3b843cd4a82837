"""Names of the rows of an array, which kernels read as constants.

State and terms are arrays with one row a quantity, ``rows[BOX.reserve, box, lane]``.  `BOX` is a
named tuple of row numbers; without the registration below Numba would copy the whole tuple wherever
one number of it is read, which made a quarter of all compilation.
"""

from __future__ import annotations

from typing import Any, TypeVar

from numba.core import types
from numba.core.datamodel import models
from numba.core.imputils import lower_constant
from numba.core.typing.templates import AttributeTemplate
from numba.extending import infer_getattr, lower_getattr_generic, register_model, typeof_impl

__all__ = ["row_names"]

Names = TypeVar("Names", bound=type)


class RowNamesType(types.Type):
    """Type of a table of row numbers; the numbers are part of the type.

    Parameters
    ----------
    owner : str
        Name of the class.
    numbers : tuple of (str, int)
        Row by name.
    """

    def __init__(self, owner: str, numbers: tuple[tuple[str, int], ...]) -> None:
        self.numbers = dict(numbers)
        super().__init__(name=f"RowNames.{owner}.{len(numbers)}")


register_model(RowNamesType)(models.OpaqueModel)


@infer_getattr
class RowNamesAttribute(AttributeTemplate):
    """Types a row number."""

    key = RowNamesType

    def generic_resolve(self, value: Any, name: str) -> Any:  # type: ignore[override]
        """Return the type of a number, None if there is no row of that name."""
        return types.intp if name in value.numbers else None


@lower_getattr_generic(RowNamesType)
def read_number(context: Any, builder: Any, kind: RowNamesType, value: Any, name: str) -> Any:
    """Emit a row number."""
    return context.get_constant(types.intp, kind.numbers[name])


@lower_constant(RowNamesType)
def table(context: Any, builder: Any, kind: RowNamesType, value: Any) -> Any:
    """Emit a stand-in for the table: nothing of it is needed but its type."""
    return context.get_dummy_value()


def row_names(names: Names) -> Names:
    """Register a class of row numbers.

    Parameters
    ----------
    names : type
        Subclass of NamedTuple with integer fields.

    Returns
    -------
    type
        The same class.
    """

    @typeof_impl.register(names)
    def typeof_names(value: Any, context: Any) -> RowNamesType:
        return RowNamesType(names.__name__, tuple(value._asdict().items()))

    return names
