"""Names that stand for a great many small borrowers alike: given what is common, no chance is left.

With F the factors and S = sqrt(chi2/nu) of a t copula (1 if Gaussian), the share in default by t is

    p(t) = Phi((s(t) S - sum_k b_k F_k) / sqrt(1 - |b|^2)),   s(t) the score whose threshold is H(t)

the limit of a pool of n such borrowers as n grows, with probability one (Vasicek 2002; Gordy 2003).
Their losses are those of each month times the share that defaults in it.

Month, claim and nominal loss of such a name are those of one of them, drawn as for any other name
and scaled to all, so that probabilities of default, exposures and losses given default are theirs.

References
----------
O. Vasicek (2002), "The distribution of loan portfolio value", Risk 15(12), 160-162.
M. B. Gordy (2003), "A risk-factor model foundation for ratings-based bank capital rules", Journal
of Financial Intermediation 12(3), 199-232.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.credit.pool_severity import chance_below, share_lost, weighted_factors
from simulator.numerics.jit import inner


class PoolGranular(NamedTuple):
    """Terms of the names that are many."""

    names: NDArray[np.int64]  # (many,)
    row: NDArray[
        np.int64
    ]  # (name,), row of a name that is many in the arrays below, -1 = it is one
    score: NDArray[np.float64]  # (many, month), s(t); minus infinity at t0
    present: NDArray[np.float64]  # (many, month), PV of the loss if all default in the month, USD m


@inner
def lose_expected(params, state, outputs, offset):
    """Write what the many lose on every path of a block, from its factors and mixing variable."""
    many = params.granular
    mixing = state.lanes[0]
    for row in range(many.names.shape[0]):
        name = many.names[row]
        for lane in range(mixing.shape[0]):
            column = offset + lane
            systematic, rest = weighted_factors(params.loadings, state.factors, name, lane)
            lost = share_lost(params.severity, state.factors, name, lane)
            before = 0.0
            for month in range(1, many.score.shape[1]):
                share = chance_below(many.score[row, month] / mixing[lane], systematic, rest)
                struck = share - before
                before = share
                loss = lost * struck * many.present[row, month]
                outputs.loss[name, column] += loss
                outputs.book_loss[column] += loss
                state.lost[month, lane] += loss
                state.gone[month, lane] += share * params.balance[name, month]
