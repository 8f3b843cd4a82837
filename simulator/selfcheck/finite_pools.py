"""Pools of a few names alike: default counts, Beta losses, pairs of names, limits of copulas."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from simulator.analytics import Estimate
from simulator.selfcheck.estimating import given, share_of
from simulator.selfcheck.kinds import Draws, Kind, sampled
from simulator.selfcheck.months import Result
from simulator.selfcheck.pool_figures import Losses, figures_of
from simulator.selfcheck.pool_runs import alike, loss_given_default, many, run_pool, tranches_of

__all__ = ["CASES", "values_in"]

Case = Mapping[str, Any]


def finite_pool(case: Case, draws: Draws) -> Result:
    """Count the defaults of names alike, and lose tranches of the pool.

    Parameters
    ----------
    case : mapping
        ``N``, ``PD``, ``rho``, ``LGD`` (or a recovery ``R``; 1), ``nu`` of a t copula.
    draws : Draws
        What is asked: see `pool_figures`; amounts are numbers of defaults.
    """
    lost = loss_given_default(case)
    names = alike(int(case["N"]), pd=case["PD"], lgd=lost, loadings=[case["rho"] ** 0.5])
    pool = run_pool(names, draws, nu=case.get("nu"), tranches=tranches_of(draws.asked))
    losses = Losses(np.rint(pool.loss / lost), draws.asked, pool.tranches, step=1.0)
    return Result({}, figures_of(losses), stepped=quantiles_of(draws.asked))


def beta_losses(case: Case, draws: Draws) -> Result:
    """Lose a Beta(a, b) share of each default, as a share of the pool.

    Parameters
    ----------
    case : mapping
        ``N``, ``PD``, ``rho``, ``a``, ``b``, ``nu`` of a t copula.
    draws : Draws
        What is asked: see `pool_figures`.
    """
    a, b, count = case["a"], case["b"], int(case["N"])
    severity = {"lgd": a / (a + b), "lgd_sd": math.sqrt(a * b / (a + b + 1.0)) / (a + b)}
    names = alike(count, pd=case["PD"], loadings=[case["rho"] ** 0.5], **severity)
    pool = run_pool(names, draws, nu=case.get("nu"), tranches=tranches_of(draws.asked))
    return Result({}, figures_of(Losses(pool.loss / count, draws.asked, pool.tranches)))


def pairs(_: Case, draws: Draws) -> Result:
    """Let two names default together: ``p=0.01,q=0.02,rho=0.2/joint_PD``.

    Also ``default_correlation`` of the two events, and ``nu=4`` for a t copula.
    """
    figures: dict[str, Any] = {}
    for group in sorted({path.partition("/")[0] for path in draws.asked}):
        terms = values_in(group)
        p, q, loading = terms["p"], terms["q"], terms["rho"] ** 0.5
        one = {"exposure_usd_m": 1.0, "lgd": 1.0, "loadings": [loading]}
        names = {"P": {**one, "pd": p}, "Q": {**one, "pd": q}}
        more = replace(draws.of(group), paths=10 * draws.paths)
        pool = run_pool(names, more, nu=terms.get("nu"))
        both = share_of(pool.loss > 1.5)
        scale = math.sqrt(p * (1.0 - p) * q * (1.0 - q))
        correlation = Estimate((both.value - p * q) / scale, both.se / scale)
        figures[group] = {"joint_PD": both, "default_correlation": correlation}
    return Result({}, figures)


def limits(case: Case, draws: Draws) -> Result:
    """Take loadings to 0 and 1: ``rho=0 P(K>=k)``, ``rho=1 P(K=N)``, ``rho=1 LHP loss variance``.

    Parameters
    ----------
    case : mapping
        ``N``, ``PD``, ``k``, ``nu`` of those that say t copula.
    draws : Draws
        What is asked.
    """
    count, pd = int(case["N"]), case["PD"]
    figures: dict[str, Estimate] = {}
    for path in draws.asked:
        found = re.search(r"rho=(?P<rho>[0-9.]+)", path)
        if not found:
            continue
        terms = {"pd": pd, "lgd": 1.0, "loadings": [float(found["rho"]) ** 0.5]}
        nu = case["nu"] if "t copula" in path else None
        if "LHP" in path:
            loss = run_pool(many(**terms), draws.of(path), nu=nu, months=1).loss
            figures[path] = variance_of(loss)
            continue
        defaults = np.rint(run_pool(alike(count, **terms), draws.of(path), nu=nu).loss)
        for words, event in (
            ("P(K>=k)", defaults >= case["k"]),
            ("P(K=N)", defaults == count),
            ("P(K=0)", defaults == 0),
        ):
            if words in path:
                figures[path] = share_of(event)
    return Result({}, figures)


def variance_of(loss: np.ndarray) -> Estimate:
    """Estimate a variance; 0 for certain if the loss is the same on all paths but for rounding."""
    squares = (loss - loss.mean()) ** 2
    if squares.max() < 1e-24:
        return Estimate(0.0, 0.0)
    return given(Estimate(float(squares.mean()), float(squares.std() / loss.size**0.5)), squares)


def values_in(text: str) -> dict[str, float]:
    """Return the numbers of ``a=1,b=0.5``; None and words are left out.

    Examples
    --------
    >>> values_in("rho=0.3,nuM=None,rank=2")
    {'rho': 0.3, 'rank': 2.0}
    """
    found = re.findall(r"(\w+)=(-?[0-9.]+(?:[eE][-+]?[0-9]+)?)(?=,|$)", text)
    return {name: float(value) for name, value in found}


def quantiles_of(asked: tuple[str, ...]) -> frozenset[str]:
    """Return what is asked of quantiles, which in a pool of lumps can take a few values only."""
    return frozenset(path for path in asked if re.search(r"(^|/|_)VaR(_|/|$)", path))


CASES: dict[str, Kind] = {
    "finite_pool": sampled(finite_pool, "N", "PD", "rho"),
    "beta_losses": sampled(beta_losses, "N", "PD", "rho", "a", "b"),
    "pairs": sampled(pairs, asks=r"^p=.*q=.*/(joint_PD|default_correlation)$"),
    "limits": sampled(limits, "N", "PD", "k", asks=r"rho=[0-9.]+ .*(P\(K|LHP)"),
}
