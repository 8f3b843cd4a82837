"""What of the `sampling` block a book can do, and how many paths are spread evenly together."""

from __future__ import annotations

from simulator.config.errors import NeoboxError
from simulator.config.schema import Sampling
from simulator.config.terms import ModelInputs

__all__ = ["SamplingError", "group_size"]


class SamplingError(NeoboxError):
    """A way of drawing paths that does not fit the study or the number of paths."""

    exit_code = 2


def group_size(inputs: ModelInputs, chosen: Sampling, paths: int) -> int:
    """Return how many consecutive paths are not independent of each other.

    Parameters
    ----------
    inputs : ModelInputs
        The book.
    chosen : Sampling
        How its paths are drawn.
    paths : int
        Of the run.

    Returns
    -------
    int
        Those that share a draw of uncertain parameters, a replicate of quasi-random points, or
        one set of strata; 1 if paths are independent.

    Raises
    ------
    SamplingError
        If parameters are uncertain and paths are to be spread evenly, or there are too few paths
        for an error to be found.
    """
    uncertain = inputs.uncertainty
    if chosen.method not in ("quasi", "stratified"):
        return uncertain.paths_per_draw if uncertain else 1
    if uncertain is not None:
        raise SamplingError(
            f"sampling.method: {chosen.method} sampling spreads paths evenly, which draws of "
            "uncertain parameters would break; mend by plain or importance sampling"
        )
    quasi = chosen.method == "quasi"
    key, least = ("replicates", chosen.replicates) if quasi else ("strata", 2 * chosen.strata)
    if paths < least:
        raise SamplingError(
            f"sampling.{key}: {chosen.method} sampling with {getattr(chosen, key)} {key} needs at "
            f"least {least:,} paths, got {paths:,}; mend by more paths or fewer {key}"
        )
    return -(-paths // chosen.replicates) if quasi else chosen.strata
