"""Insurance and floors: what they pay and cost, and the book's loss gross and net of them."""

from __future__ import annotations

import xarray as xr

from simulator.analytics.estimators import mean, mean_difference, probability
from simulator.analytics.frame import estimates, labels, path_weights, vector
from simulator.analytics.tail import expected_shortfall, shortfall_difference
from simulator.dataset.dims import OVERLAY

BASES = ("gross", "net", "difference")


def overlays_table(dataset: xr.Dataset, level: float = 0.99) -> xr.Dataset | None:
    """Measure overlays, and the book with and without them.

    Parameters
    ----------
    dataset : Dataset
        A run with ``overlay_payout(path, overlay)``, ``overlay_premium`` and
        ``book_lender_loss_net(path)``.
    level : float
        Level of ES.

    Returns
    -------
    Dataset or None
        By ``overlay``: ``payout_probability``, ``mean_payout`` and ``mean_premium`` [USD m, PV];
        by ``basis`` (gross, net, difference): ``loss_probability``, ``expected_loss`` and
        ``expected_shortfall`` [USD m, PV]; each with ``_se``. Errors of the difference are paired:
        net and gross stand on the same paths. None if the run has no overlays.
    """
    names = labels(dataset, OVERLAY)
    if not names:
        return None
    weights = path_weights(dataset)
    paid, cost = (
        [vector(dataset, name, overlay=i) for i in range(len(names))]
        for name in ("overlay_payout", "overlay_premium")
    )
    gross, net = vector(dataset, "book_lender_loss"), vector(dataset, "book_lender_loss_net")
    money = "million USD"
    by_overlay = {
        "payout_probability": ([probability(one > 0.0, weights) for one in paid], "1"),
        "mean_payout": ([mean(one, weights) for one in paid], money),
        "mean_premium": ([mean(one, weights) for one in cost], money),
    }
    hit, hit_net = (gross > 0.0).astype(float), (net > 0.0).astype(float)
    by_basis = {
        "loss_probability": (
            [
                probability(gross > 0.0, weights),
                probability(net > 0.0, weights),
                mean_difference(hit_net, hit, weights),
            ],
            "1",
        ),
        "expected_loss": (
            [mean(gross, weights), mean(net, weights), mean_difference(net, gross, weights)],
            money,
        ),
        "expected_shortfall": (
            [
                expected_shortfall(gross, level, weights),
                expected_shortfall(net, level, weights),
                shortfall_difference(net, gross, level, weights),
            ],
            money,
        ),
    }
    variables: dict[str, xr.Variable] = {}
    for dim, measures in ((OVERLAY, by_overlay), ("basis", by_basis)):
        for name, (values, units) in measures.items():
            long_name = name.replace("_", " ")
            variables |= estimates(name, (dim,), values, (len(values),), long_name, units)
    return xr.Dataset(
        variables, coords={OVERLAY: names, "basis": list(BASES)}, attrs={"level": level}
    )
