"""Laws of uncertain parameters, cut to the domain of each.

One draw of all of them serves a few consecutive paths, so that what varies between draws can be
told from what varies within them.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import TYPE_CHECKING, Any, Final

from simulator.config.errors import Problems, did_you_mean
from simulator.config.loader import Document, Location
from simulator.config.parameters import NOT_READ_SAID, parameter_table
from simulator.config.schema import PriorBlock, UncertaintyBlock
from simulator.config.terms import Prior, Uncertainty

if TYPE_CHECKING:
    from scipy.stats.distributions import rv_frozen

__all__ = ["LAWS", "law_fault", "law_of", "quantile", "uncertainty"]

LAWS: Final = {
    "gamma": ("mean", "shape"),
    "normal": ("mean", "sd"),
    "beta": ("mean", "sd"),
    "lognormal": ("median", "sd_log"),
    "uniform": ("min", "max"),
    "triangular": ("min", "mode", "max"),
}
"""Keys of each law."""

MOST_OUTSIDE: Final = 0.05
"""Share of a law that may lie outside the domain of its parameter and be cut off."""

JUDGED: Final = {
    "dem.ap_lambda": "dem.ap_lambda",
    "eff.lambda": "eff.lambda",
    "cp.reneg_h0_ig": "cp.reneg",
    "cp.reneg_h0_nig": "cp.reneg",
    "reg.lambda": "reg.lambda",
    "sup.vi_lambda": "sup.vi_lambda",
}
"""Hazards that rest on a handful of events, and the stream of each (model §1)."""

TERMS_OF_DEALS: Final = (
    "box.cures",
    "cp.beta",
    "cp.pd_ai_lab",
    "del.applied_kill",
    "del.applied_p",
    "del.applied_size",
    "del.fibre_p",
    "gpu.capex",
    "gpu.kw",
    "gpu.p0_contract",
    "gpu.p0_spot",
    "hall",
    "hold.scale_p",
    "hold.scale_support",
    "ir.hedge",
    "loan",
    "pow.colo",
    "pow.hedged",
)
"""Beginnings of ids that fill blanks of the book and are not read on a path."""


def law_of(prior: Prior) -> rv_frozen:
    """Return the law of a prior, not cut to its domain."""
    from scipy import stats

    a, b, c = prior.first, prior.second, prior.third
    if prior.law == "gamma":
        return stats.gamma(b, scale=a / b)
    if prior.law == "normal":
        return stats.norm(a, b)
    if prior.law == "beta":
        n = a * (1.0 - a) / (b * b) - 1.0
        return stats.beta(a * n, (1.0 - a) * n)
    if prior.law == "lognormal":
        return stats.lognorm(b, scale=a)
    if prior.law == "uniform":
        return stats.uniform(a, b - a)
    return stats.triang((b - a) / (c - a), loc=a, scale=c - a)


def quantile(prior: Prior, u: Any) -> Any:
    """Return quantiles of a prior within the domain of its parameter.

    Parameters
    ----------
    prior
        The law.
    u
        Probabilities in (0, 1), a number or an array.
    """
    import numpy as np

    law = law_of(prior)
    low, high = law.cdf(prior.minimum), law.cdf(prior.maximum)
    return np.clip(law.ppf(low + u * (high - low)), prior.minimum, prior.maximum)


def uncertainty(
    block: UncertaintyBlock | None,
    parameters: Mapping[str, float],
    judged: bool,
    document: Document,
    out: Problems,
) -> Uncertainty | None:
    """Return the priors of a study, by id; None if it has none.

    Parameters
    ----------
    block
        The block of the study.
    parameters
        By id, for the means of the judged hazards.
    judged
        Whether the judged hazards are uncertain too (the switch ``priors``): their multipliers are
        then drawn with the rest, not anew on every path.
    document
        Where the block stands.
    out
        Takes ids that cannot be uncertain, keys that a law lacks, laws outside a domain.
    """
    if block is None or not block.priors:
        return None
    where = ("uncertainty", "priors")
    priors = [] if not judged else _judged(parameters, block.priors)
    for name, given in sorted(block.priors.items()):
        at = (*where, name)
        problem = _refusal(name)
        if problem:
            expected, got, mend = problem
            out.add(document.place(at), ".".join(at), expected=expected, got=got, mend=mend)
            continue
        prior = _prior(name, given, document, at, out)
        if prior is not None:
            priors.append(prior)
    return Uncertainty(block.paths_per_draw, tuple(sorted(priors, key=lambda one: one.id)))


def _judged(parameters: Mapping[str, float], given: Container[str]) -> list[Prior]:
    """Return the gamma priors of the judged hazards that have none of their own."""
    shape, table = parameters["prior.k"], parameter_table()
    return [
        Prior(
            name,
            "gamma",
            parameters[name],
            shape,
            0.0,
            table[name].minimum,
            table[name].maximum,
            stream,
        )
        for name, stream in JUDGED.items()
        if name not in given and parameters[name] > 0.0
    ]


def _refusal(name: str) -> tuple[str, str, str] | None:
    """Return why a parameter cannot be uncertain: expected, got, mend."""
    table = parameter_table()
    if name not in table:
        return "a parameter id", repr(name), did_you_mean(name, table, "removing it")
    if not table[name].read:
        return "a parameter in use", f"{name!r}, which is {NOT_READ_SAID}", "removing it"
    if any(name == one or name.startswith(one + ".") for one in TERMS_OF_DEALS):
        got = f"{name!r}, which fills blanks of the book and is the same on all paths"
        return "a parameter that paths read", got, "giving the deal's own terms, or a sweep"
    return None


def _prior(
    name: str, given: PriorBlock, document: Document, at: Location, out: Problems
) -> Prior | None:
    keys = LAWS[given.law]
    values = given.model_dump(exclude={"law"}, exclude_none=True)
    if set(values) != set(keys):
        place, path = document.place(at), ".".join(map(str, at))
        expected, got = f"{given.law} with {', '.join(keys)}", ", ".join(sorted(values)) or "none"
        out.add(place, path, expected=expected, got=got, mend="giving exactly these keys")
        return None
    numbers = [values[key] for key in keys]
    fault = law_fault(given.law, dict(zip(keys, numbers, strict=True)))
    table = parameter_table()[name]
    first, second, third = [*numbers, 0.0][:3]
    prior = Prior(name, given.law, first, second, third, table.minimum, table.maximum, stream=name)
    if fault is None:
        law = law_of(prior)
        outside = float(law.cdf(prior.minimum) + law.sf(prior.maximum))
        if outside > MOST_OUTSIDE:
            domain = f"{prior.minimum:g} to {prior.maximum:g}"
            fault = f"at least 95% of the law within {domain}", f"{outside:.0%} outside"
    if fault is not None:
        place, path = document.place(at), ".".join(map(str, at))
        out.add(place, path, expected=fault[0], got=fault[1], mend="narrowing or moving the law")
        return None
    return prior


def law_fault(law: str, v: Mapping[str, float]) -> tuple[str, str] | None:
    """Return what is wrong with the numbers of a law: expected, got."""
    said = ", ".join(f"{key} {value:g}" for key, value in v.items())
    if law in ("gamma", "lognormal") and not all(value > 0.0 for value in v.values()):
        return "numbers above 0", said
    if law == "normal" and not v["sd"] > 0.0:
        return "sd above 0", said
    if law == "beta" and not (
        0.0 < v["mean"] < 1.0 and 0.0 < v["sd"] < (v["mean"] * (1.0 - v["mean"])) ** 0.5
    ):
        return "a mean between 0 and 1 and an sd below the root of mean (1 - mean)", said
    if law == "uniform" and not v["min"] < v["max"]:
        return "min below max", said
    if law == "triangular" and not (v["min"] <= v["mode"] <= v["max"] and v["min"] < v["max"]):
        return "min, mode and max in this order", said
    return None
