"""Functions that live in the kernels that call them, and nowhere else.

Numba makes a library of every function: it optimises the function with all that it calls, turns it
into machine code, and does both again one level up.  A function that Python never calls needs none
of that: it is enough to link its code into the kernel, where the optimiser sees the whole at once.
That halves the time LLVM takes, and the number of files in the cache.

This reaches into Numba further than its documented interface does.  Where a version of Numba lacks
what is reached for, `LinkedCompiler` is None and functions are compiled the ordinary way: slower to
build, the same numbers.
"""

from __future__ import annotations

from typing import Any

from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Compiler
from numba.core.compiler_machinery import FunctionPass, register_pass

__all__ = ["LinkedCompiler"]

REACHED_FOR = (
    "_optimize_final_module",
    "_finalize_final_module",
    "_finalize_dynamic_globals",
    "_verify_declare_only_symbols",
    "get_pointer_to_function",
)


class NoEnvironments:
    """Stands for the code generator where Numba hands over a function's Python globals."""

    @staticmethod
    def set_env(name: str, environment: Any) -> None:
        """Do nothing: only functions that call back into Python have use for them."""


class LinkedLibrary(JITCodeLibrary):
    """Code that is linked into its callers, never run on its own."""

    def _optimize_final_module(self) -> None:
        """Leave optimisation to the kernel."""

    def _finalize_final_module(self) -> None:
        """Do all that is done to a module except hand it to the machine."""
        self._finalize_dynamic_globals()
        self._verify_declare_only_symbols()
        self._finalized = True

    @property
    def codegen(self) -> Any:
        """What `get_executable` asks for."""
        return NoEnvironments

    def get_pointer_to_function(self, name: str) -> int:
        """Return zero, which says that there is no such function to call."""
        self._ensure_finalized()
        return 0


@register_pass(mutates_CFG=False, analysis_only=True)
class ChooseLibrary(FunctionPass):
    """Sets the library before Numba makes its own."""

    _name = "choose_linked_library"

    def __init__(self) -> None:
        super().__init__()

    def run_pass(self, state: Any) -> bool:
        """Set the library; the program is left as it is."""
        state.library = LinkedLibrary(state.targetctx.codegen(), state.func_id.func_qualname)
        return False


class LinkedPipeline(Compiler):
    """Numba's compiler with the library chosen up front."""

    def define_pipelines(self) -> list[Any]:
        """Return Numba's pipelines with one pass more."""
        pipelines: list[Any] = super().define_pipelines()
        for pipeline in pipelines:
            pipeline.add_pass_after(ChooseLibrary, pipeline.passes[0][0])
            pipeline.finalize()
        return pipelines


LinkedCompiler: type[Compiler] | None = (
    LinkedPipeline if all(hasattr(JITCodeLibrary, name) for name in REACHED_FOR) else None
)
"""Pipeline class of linked functions, None if this Numba cannot have it."""
