"""Who defaults, when, and why."""

from __future__ import annotations

from typing import Final

import numpy as np
import xarray as xr

from simulator.analytics.estimators import mean, probability
from simulator.analytics.exposure import holding
from simulator.analytics.frame import estimates, horizon_months, labels, path_weights, vector
from simulator.dataset.dims import FACILITY
from simulator.dataset.variables import CAUSES, TRIGGERS

MONTHS: Final = {
    "facility": ("facility_default_month", "default"),
    "sponsor": ("sponsor_default_month", "default"),
    "counterparty": ("counterparty_default_month", "default"),
    "box": ("box_first_breach_month", "breach"),
}
"""Variable with the month of the event, and the event, by entity."""


def default_table(dataset: xr.Dataset, entity: str) -> xr.Dataset:
    """Cumulative probability of default by the end of each year, by name.

    Parameters
    ----------
    dataset : Dataset
        A run with the month of the event, 0 for none.
    entity : str
        ``facility``, ``sponsor`` or ``counterparty``; or ``box``, whose event is the first
        breach of a covenant.

    Returns
    -------
    Dataset
        ``default_probability(<entity>, year)`` (``breach_probability`` of boxes) with ``_se``;
        the last year ends at the horizon.
    """
    weights = path_weights(dataset)
    names = labels(dataset, entity)
    horizon = horizon_months(dataset)
    years = list(range(1, -(-horizon // 12) + 1))
    variable, event = MONTHS[entity]
    months = [vector(dataset, variable, **{entity: i}) for i in range(len(names))]
    values = [
        probability((month > 0) & (month <= 12 * year), weights)
        for month in months
        for year in years
    ]
    return xr.Dataset(
        estimates(
            f"{event}_probability",
            (entity, "year"),
            values,
            (len(names), len(years)),
            f"cumulative probability of {event}",
            "1",
        ),
        coords={entity: names, "year": years},
        attrs={"paths": dataset.sizes["path"], "horizon_months": horizon},
    )


def causes_table(dataset: xr.Dataset) -> xr.Dataset:
    """Defaults and losses by first cause and by event of default.

    Returns
    -------
    Dataset
        ``default_probability(facility, cause)``, ``expected_loss(facility, cause)`` [USD m],
        ``book_expected_loss(cause)`` at the lender's shares, the same by ``trigger``
        (``trigger_probability``), each with ``_se``. The code for "none" is left out: a loss
        without a default cannot be. No facilities if the run does not tell causes (pools).
    """
    facilities = labels(dataset, FACILITY) if "facility_default_cause" in dataset else []
    weights = path_weights(dataset)
    causes, triggers = CAUSES[1:], TRIGGERS[1:]
    chances, losses, events = [], [], []
    by_cause = np.zeros((len(causes), dataset.sizes["path"]))
    for i in range(len(facilities)):
        cause = vector(dataset, "facility_default_cause", facility=i)
        trigger = vector(dataset, "facility_default_trigger", facility=i)
        loss = vector(dataset, "lender_loss", facility=i)
        held = holding(dataset, i).loss
        for c in range(len(causes)):
            struck = cause == c + 1
            chances.append(probability(struck, weights))
            losses.append(mean(np.where(struck, loss, 0.0), weights))
            by_cause[c] += np.where(struck, held, 0.0)
        events += [probability(trigger == e + 1, weights) for e in range(len(triggers))]
    n = len(facilities)
    return xr.Dataset(
        estimates(
            "default_probability",
            (FACILITY, "cause"),
            chances,
            (n, len(causes)),
            "probability of default by cause",
            "1",
        )
        | estimates(
            "expected_loss",
            (FACILITY, "cause"),
            losses,
            (n, len(causes)),
            "expected lender loss by cause",
            "million USD",
        )
        | estimates(
            "book_expected_loss",
            ("cause",),
            [mean(row, weights) for row in by_cause],
            (len(causes),),
            "expected loss of the book by cause",
            "million USD",
        )
        | estimates(
            "trigger_probability",
            (FACILITY, "trigger"),
            events,
            (n, len(triggers)),
            "probability of default by event of default",
            "1",
        ),
        coords={FACILITY: facilities, "cause": list(causes), "trigger": list(triggers)},
        attrs={"paths": dataset.sizes["path"]},
    )
