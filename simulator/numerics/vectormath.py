"""Transcendental functions for loops that LLVM vectorises, gathered under one name."""

from simulator.numerics.elementary import exp, expm1, log
from simulator.numerics.normal import normal_cdf, normal_quantile

__all__ = ["exp", "expm1", "log", "normal_cdf", "normal_quantile"]
