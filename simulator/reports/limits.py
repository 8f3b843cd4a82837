"""What a reader must know before leaning on the numbers."""

from typing import Final

LIMITS: Final = (
    "Standard errors measure the number of paths, nothing else. They say how well the model was "
    "sampled, not whether the model or its parameters are right.",
    "GPU loans have existed for about three years and no facility of size has been worked out. "
    "Drift, jumps and correlations of rental prices, resale values and customer defaults are "
    "partly judgement; see the marks below and the stress cases of the study.",
    "The loss of a facility is a present value at its own coupon over the whole horizon. A loan "
    "that still performs at the horizon counts at par; a workout still open is closed at the "
    "forced value of that month.",
    "Implied ratings translate an expected loss through one curve. They are no agency's rating and "
    "leave out everything an agency weighs besides loss.",
    "Equity and sponsor results are two views of the same money and must not be added.",
    "The model leaves out currencies, licences, amendments and waivers by negotiation, new boxes "
    "after the start and legal outcomes that depart from the documents.",
)
