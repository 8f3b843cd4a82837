"""Numerical building blocks, compiled where kernels call them; no finance in here."""

from simulator.numerics.bits import bits_to_float, float_to_bits
from simulator.numerics.elementary import exp, expm1, log
from simulator.numerics.fingerprint import source_hash
from simulator.numerics.interpolation import piecewise_linear
from simulator.numerics.jit import JIT_DISABLED, kernel, scalar
from simulator.numerics.normal import normal_cdf, normal_quantile
from simulator.numerics.philox import (
    fill_normal_pairs,
    fill_uniform_pairs,
    normal_pair,
    philox4x32_10,
    uniform_pair,
)
from simulator.numerics.processes import (
    MONTH_IN_YEARS,
    monthly_event_probability,
    ou_coefficients,
    ou_step,
    vasicek_mean_rate,
)
from simulator.numerics.quantiles import (
    TABLE_NODES,
    beta_parameters,
    beta_quantile_table,
    beta_quantile_table_ab,
    chi2_quantile_table,
    gamma_quantile_table,
    interpolate_table,
)
from simulator.numerics.streams import stream_id, stream_id_array, stream_ids
from simulator.numerics.student_t import student_t_cdf, student_t_quantile

__all__ = [
    "JIT_DISABLED",
    "MONTH_IN_YEARS",
    "TABLE_NODES",
    "beta_parameters",
    "beta_quantile_table",
    "beta_quantile_table_ab",
    "bits_to_float",
    "chi2_quantile_table",
    "exp",
    "expm1",
    "fill_normal_pairs",
    "fill_uniform_pairs",
    "float_to_bits",
    "gamma_quantile_table",
    "interpolate_table",
    "kernel",
    "log",
    "monthly_event_probability",
    "normal_cdf",
    "normal_pair",
    "normal_quantile",
    "ou_coefficients",
    "ou_step",
    "philox4x32_10",
    "piecewise_linear",
    "scalar",
    "source_hash",
    "stream_id",
    "stream_id_array",
    "stream_ids",
    "student_t_cdf",
    "student_t_quantile",
    "uniform_pair",
    "vasicek_mean_rate",
]
