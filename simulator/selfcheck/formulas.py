"""Numbers that cases write as formulas of a name's number, such as ``0.01*(1+sin(pi*k/50))``."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping
from typing import Any, Final

__all__ = ["formula"]

OPERATORS: Final[Mapping[type[ast.AST], Callable[..., float]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
    ast.USub: operator.neg,
}
FUNCTIONS: Final[Mapping[str, Callable[..., float]]] = {
    "sin": math.sin,
    "cos": math.cos,
    "sqrt": math.sqrt,
    "exp": math.exp,
    "min": min,
    "max": max,
}


def formula(text: str, **values: float) -> float:
    """Return the value of a formula: numbers, `pi`, named values, arithmetic, a few functions.

    Raises
    ------
    ValueError
        If there is anything else in it.

    Examples
    --------
    >>> formula("max(0.01*(1 + k), 0.025)", k=2)
    0.03
    """
    known = {"pi": math.pi, **values}

    def value(node: Any) -> float:
        match node:
            case ast.Constant(value=int() | float() as number):
                return number
            case ast.Name(id=name) if name in known:
                return known[name]
            case ast.BinOp(left=left, op=op, right=right) if type(op) in OPERATORS:
                return OPERATORS[type(op)](value(left), value(right))
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return -value(operand)
            case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in FUNCTIONS:
                return FUNCTIONS[name](*map(value, args))
        raise ValueError(f"{text!r}: expected numbers, {', '.join(known)} and arithmetic")

    try:
        return float(value(ast.parse(text, mode="eval").body))
    except SyntaxError as error:
        raise ValueError(f"{text!r}: not a formula") from error
