"""Where a fault can be put into the kernels, and which faults are drawn.

A site is a node of the syntax tree and one fault for it. Its id is made of the statement it stands
in, not of line numbers: code that moves keeps its ids, and with them the draw and the reasons.
"""

from __future__ import annotations

import ast
import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOMS = ("drivers", "credit", "box", "sponsor")
SEED = 2026
MONTHS = frozenset({"month", "t"})
"""Names under which kernels know the month."""

OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
}
BOUNDARY: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
}
OPPOSITE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.GtE,
    ast.LtE: ast.Gt,
    ast.Gt: ast.LtE,
    ast.GtE: ast.Lt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
}
EXTREMES = {"min": "max", "max": "min", "minimum": "maximum", "maximum": "minimum"}


@dataclass(frozen=True)
class Site:
    """A fault that can be put in.

    Attributes
    ----------
    id : str
        12 hexadecimal digits.
    file : str
        From the root of the tree.
    function : str
        Outermost function, ``Class.method`` of a method; empty at the level of the module.
    first, last : int
        Lines, one of which runs whenever the site does.
    line : int
        Of the site.
    kind : str
        sign, operator, comparison, twelfth, month, constant, logic or extreme.
    before, after : str
        The expression.
    node, choice : int
        Place in the walk over the tree, and which of its faults.
    """

    id: str
    file: str
    function: str
    first: int
    last: int
    line: int
    kind: str
    before: str
    after: str
    node: int
    choice: int


def is_number(node: ast.AST, value: float) -> bool:
    """Whether a node is a literal number of this value."""
    return (
        isinstance(node, ast.Constant)
        and type(node.value) in (int, float)
        and (node.value == value)
    )


def faults(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """Yield kind and replacement of every fault that a node can take."""
    match node:
        case ast.BinOp(left, op, right):
            if type(op) in OPERATORS:
                yield "operator", ast.BinOp(left, OPERATORS[type(op)](), right)
            if isinstance(op, ast.Mult | ast.Div) and is_number(right, 12):
                yield "twelfth", left
            if isinstance(op, ast.Mult) and is_number(left, 12):
                yield "twelfth", right
            if isinstance(op, ast.Add | ast.Sub) and is_number(right, 1):
                if isinstance(right, ast.Constant) and isinstance(right.value, int):
                    yield "month", left
        case ast.AugAssign(target, op, value):
            if type(op) in OPERATORS:
                yield "operator", ast.AugAssign(target, OPERATORS[type(op)](), value)
        case ast.UnaryOp(ast.USub(), operand):
            yield "sign", operand
        case ast.UnaryOp(ast.Not(), operand):
            yield "logic", operand
        case ast.Compare(left, [op], [right]):
            for kinds in (BOUNDARY, OPPOSITE):
                if type(op) in kinds:
                    yield "comparison", ast.Compare(left, [kinds[type(op)]()], [right])
        case ast.BoolOp(op, values):
            other = ast.Or() if isinstance(op, ast.And) else ast.And()
            yield "logic", ast.BoolOp(other, values)
        case ast.Call(ast.Name(name) | ast.Attribute(_, name), arguments, []):
            if name in EXTREMES and arguments:
                yield "extreme", swapped(node)
        case ast.Constant(value) if type(value) in (int, float):
            yield "constant", ast.Constant(changed(value))
        case ast.Name(name, ast.Load()) if name in MONTHS:
            yield "month", ast.BinOp(node, ast.Sub(), ast.Constant(1))


def changed(value: float) -> float:
    """Return another number: the next whole one, 1.0 for 0.0, 0.0 for 1.0, a tenth more for others.

    Kernels keep flags as 0.0 and 1.0, of which 1.1 would be as good as 1.0.
    """
    if isinstance(value, int):
        return value + 1
    return {0.0: 1.0, 1.0: 0.0}.get(value, value * 1.1)


def swapped(call: ast.Call) -> ast.Call:
    """Return a call of max for min, and the other way round."""
    name = call.func
    if isinstance(name, ast.Attribute):
        return ast.Call(ast.Attribute(name.value, EXTREMES[name.attr], name.ctx), call.args, [])
    assert isinstance(name, ast.Name)
    return ast.Call(ast.Name(EXTREMES[name.id], name.ctx), call.args, [])


class Places(ast.NodeVisitor):
    """Notes function and statement of every node that runs; annotations do not."""

    def __init__(self) -> None:
        self.found: dict[ast.AST, tuple[str, ast.stmt]] = {}
        self.function = ""
        self.owners: list[str] = []
        self.statement: ast.stmt | None = None

    def generic_visit(self, node: ast.AST) -> None:
        """Walk on, below annotations and decorators not."""
        if isinstance(node, ast.stmt):
            self.statement = node
        if self.statement is not None:
            self.found[node] = self.function, self.statement
        statement = self.statement
        for name, value in ast.iter_fields(node):
            if name in ("annotation", "returns", "decorator_list"):
                continue
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    self.visit(child)
                    self.statement = statement

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        """Remember whose methods follow."""
        self.owners.append(node.name)
        self.generic_visit(node)
        self.owners.pop()

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        """Remember the outermost function; defaults belong to the module."""
        outer = self.function
        self.function = outer or ".".join([*self.owners, node.name])
        self.generic_visit(node)
        self.function = outer
        for default in ast.walk(node.args):
            if default in self.found:
                self.found[default] = "", node


def sites_of(root: Path) -> list[Site]:
    """Return every site of the rooms of a tree, in order of files and places."""
    files = [path for room in ROOMS for path in sorted((root / "simulator" / room).glob("*.py"))]
    return [site for path in files for site in sites_in(path, path.relative_to(root).as_posix())]


def sites_in(path: Path, file: str) -> Iterator[Site]:
    """Yield the sites of a file."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    places = Places()
    places.visit(tree)
    seen: Counter[tuple[str, ...]] = Counter()
    for number, node in enumerate(ast.walk(tree)):
        if node not in places.found:
            continue
        function, statement = places.found[node]
        for choice, (kind, other) in enumerate(faults(node)):
            before, after = ast.unparse(node), ast.unparse(other)
            key = (file, function, told(statement), kind, before, after)
            seen[key] += 1
            text = "\0".join([*key, str(seen[key])])
            yield Site(
                id=hashlib.blake2b(text.encode(), digest_size=6).hexdigest(),
                file=file,
                function=function,
                first=statement.lineno,
                last=max(statement.lineno, getattr(node, "end_lineno", 0) or 0),
                line=getattr(node, "lineno", statement.lineno),
                kind=kind,
                before=before,
                after=after,
                node=number,
                choice=choice,
            )


def told(statement: ast.stmt) -> str:
    """Return the text of a statement; of one that holds others, its first line."""
    return ast.unparse(statement).splitlines()[0]


def drawn(sites: list[Site], count: int, seed: int = SEED) -> list[Site]:
    """Draw sites, each as likely as any other; more of them include those of a smaller draw."""

    def rank(site: Site) -> bytes:
        return hashlib.blake2b(f"{seed}:{site.id}".encode(), digest_size=8).digest()

    return sorted(sites, key=rank)[:count]


def mutated(source: str, site: Site) -> ast.Module:
    """Return the tree of a file with one fault in it; lines stay where they are."""
    tree = ast.parse(source)
    target = list(ast.walk(tree))[site.node]
    _, other = list(faults(target))[site.choice]
    ast.copy_location(other, target)

    class Replace(ast.NodeTransformer):
        def visit(self, node: ast.AST) -> ast.AST:
            return other if node is target else self.generic_visit(node)

    return ast.fix_missing_locations(Replace().visit(tree))
