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

MONTHS_VARIABLE: Final = {
    "facility": "facility_default_month",
    "sponsor": "sponsor_default_month",
    "counterparty": "counterparty_default_month",
}


def default_table(dataset: xr.Dataset, entity: str) -> xr.Dataset:
    """Cumulative probability of default by the end of each year, by name.

    Parameters
    ----------
    dataset : Dataset
        A run with ``<entity>_default_month(path, <entity>)``, 0 for none.
    entity : str
        ``facility``, ``sponsor`` or ``counterparty``.

    Returns
    -------
    Dataset
        ``default_probability(<entity>, year)`` with ``_se``; the last year ends at the horizon.
    """
    weights = path_weights(dataset)
    names = labels(dataset, entity)
    horizon = horizon_months(dataset)
    years = list(range(1, -(-horizon // 12) + 1))
    months = [vector(dataset, MONTHS_VARIABLE[entity], **{entity: i}) for i in range(len(names))]
    values = [
        probability((month > 0) & (month <= 12 * year), weights)
        for month in months
        for year in years
    ]
    return xr.Dataset(
        estimates(
            "default_probability",
            (entity, "year"),
            values,
            (len(names), len(years)),
            "cumulative probability of default",
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
        without a default cannot be.
    """
    facilities = labels(dataset, FACILITY)
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
