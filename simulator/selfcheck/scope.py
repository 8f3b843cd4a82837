"""Kinds of cases that are known and not run, each with its reason.

They are told by their parameters like the others, so that a case of such a kind is not taken for
one of its relatives.
"""

from __future__ import annotations

from simulator.selfcheck.kinds import Kind, outside

__all__ = ["CASES"]

CASES: dict[str, Kind] = {
    "square_root_rate": outside(
        "no square-root (CIR) driver: rates are Gaussian, hazards move with stress",
        *("kappa", "theta", "sigma", "x0", "T"),
    ),
    "square_root_jump_rate": outside(
        "no affine jump hazard (BAJD): hazards move with stress and regimes",
        *("kappa", "theta", "sigma", "x0", "T", "jump_rate", "jump_mean"),
    ),
    "cox_pool": outside(
        "no affine jump hazard (BAJD), so no Cox pool on one",
        *("kappa", "theta", "sigma", "x0", "T", "jump_rate", "jump_mean", "n"),
    ),
    "mixed_option": outside(
        "no option pricing: the model is under the physical measure (Merton calls)",
        *("S", "r", "v"),
    ),
    "double_exponential_option": outside(
        "no option pricing: the model is under the physical measure (Kou calls)",
        *("S", "K", "eta1", "eta2"),
    ),
    "self_exciting_counts": outside(
        "no self-exciting events (Hawkes): no driver has use for them",
        *("mu", "alpha", "beta", "T"),
    ),
    "barrier": outside(
        "no structural default of an asset at a barrier (Black-Cox): boxes default on cash flow",
        *("V0", "K", "mu", "sigma", "T"),
    ),
    "barrier_option": outside(
        "no option pricing and no barriers (down-and-out calls)",
        *("S", "K", "r", "sigma", "T", "m"),
    ),
    "two_barriers": outside(
        "no first passage of two assets (Zhou): defaults depend on each other by a copula",
        *("z1", "z2", "rho"),
    ),
    "jump_barrier": outside(
        "no first passage of a jump diffusion (Kou-Wang): nothing in the model is a barrier",
        *("eta_up", "eta_down", "level", "direction"),
    ),
    "double_t_pool": outside(
        "no double-t copula: Gaussian and Student t are offered",
        *("N", "PD", "rho", "nuM", "nu_e"),
    ),
    "infection": outside(
        "no infection of one name by another (Davis-Lo): names share factors and regimes",
        *("n", "p", "q"),
    ),
    "credit_risk_plus": outside(
        "no CreditRisk+ (Poisson defaults with gamma intensities): a name defaults once",
        *("unit", "exposures", "PD", "sd_ratio"),
    ),
    "par_spread": outside(
        "no premium legs (par spreads): lenders are paid by loans", asks=r"^h=[\d.]+,R="
    ),
    "other_quantiles": outside(
        "errors of algorithms for the normal quantile, of which the model has its own",
        asks=r"^(AS241|Acklam)$",
    ),
    "net_properties": outside(
        "properties in words, without numbers to compare", asks="^one_per_cell$"
    ),
}
