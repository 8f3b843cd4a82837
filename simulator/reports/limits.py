"""What a reader must know before leaning on the numbers."""

from typing import Final

LIMITS: Final = (
    "Standard errors measure the number of paths, nothing else. They say how well the model was "
    "sampled, not whether the model or its parameters are right.",
    "GPU loans have existed for about three years and no facility of size has been worked out. "
    "Drift, jumps and correlations of rental prices, resale values and customer defaults are "
    "partly judgement: the chapter before this one marks what was assumed, and a run with --set "
    "shows what another value does.",
    "The loss of a facility is a present value at its own coupon over the whole horizon. A loan "
    "that still performs at the horizon counts at par; a workout still open is closed at the "
    "forced value of that month.",
    "Implied ratings translate an expected loss through one curve. They are no agency's rating and "
    "leave out everything an agency weighs besides loss.",
    "Equity and sponsor results are two views of the same money and must not be added.",
    "The profit of a sponsor's owners is degenerate for a HoldCo that owes more than its cash and "
    "boxes are worth at the start: opening and closing value are both cut at 0, so it is exactly 0 "
    "on most paths. Cash is discounted at the hurdle rate and earns nothing.",
    "Holders of a defaulted HoldCo's notes recover little here. Its estate counts cash and the "
    "surplus of performing boxes only; business outside the tape has no value in it, and the boxes "
    "it guarantees in full default with it.",
    "Lenders cannot refuse a renegotiation that they must consent to: it only comes less often.",
    "The model leaves out currencies, licences, amendments and waivers by negotiation, new boxes "
    "after the start and legal outcomes that depart from the documents.",
)

POOL_LIMITS: Final = (
    LIMITS[0],
    "Curves, losses given default, loadings and copula are those of the study: nothing here is "
    "calibrated, and a tail is only as good as its dependence.",
    "Hazards are curves known at the start, moved by common regimes alone. Default and loss given "
    "default are drawn apart from each other: a recession that lowers recoveries as well is not in "
    "the numbers, unless collateral or regimes say so.",
    LIMITS[3],
)
"""The same for credit-only studies."""
