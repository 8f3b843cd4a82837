"""Loops over the formulas: the same bits in vector body and tail, and really vectorised."""

import re

import numba
import numpy as np
import pytest

from simulator.numerics import (
    JIT_DISABLED,
    exp,
    expm1,
    interpolate_table,
    kernel,
    log,
    monthly_event_probability,
    normal_cdf,
    normal_pair,
    normal_quantile,
    uniform_pair,
)

LENGTH = 67


def exp_loop(x, out):
    for lane in range(x.shape[0]):
        out[lane] = exp(x[lane])


def expm1_loop(x, out):
    for lane in range(x.shape[0]):
        out[lane] = expm1(x[lane])


def log_loop(x, out):
    for lane in range(x.shape[0]):
        out[lane] = log(x[lane])


def cdf_loop(x, out):
    for lane in range(x.shape[0]):
        out[lane] = normal_cdf(x[lane])


def quantile_loop(x, out):
    for lane in range(x.shape[0]):
        out[lane] = normal_quantile(x[lane])


def event_loop(x, out):
    for lane in range(x.shape[0]):
        out[lane] = monthly_event_probability(x[lane])


def uniform_loop(x, out):
    for lane in range(x.shape[0]):
        out[lane] = uniform_pair(7, lane, 11, 3)[0]


def normal_loop(x, out):
    for lane in range(x.shape[0]):
        out[lane] = normal_pair(7, lane, 11, 3)[1]


LOOPS = {
    "exp": (exp_loop, exp, -750.0, 712.0),
    "exp near 0": (exp_loop, exp, -2.0, 2.0),
    "expm1": (expm1_loop, expm1, -1.0, 1.0),
    "log": (log_loop, log, -1.0, 9.0),
    "normal_cdf": (cdf_loop, normal_cdf, -39.0, 9.0),
    "normal_quantile": (quantile_loop, normal_quantile, -0.01, 1.01),
}


@pytest.mark.nojit
@pytest.mark.parametrize("name", LOOPS)
def test_bits_do_not_depend_on_where_an_element_falls_in_a_loop(name):
    loop, function, low, high = LOOPS[name]
    compiled = kernel(loop)
    x = np.random.default_rng(5).uniform(low, high, LENGTH)
    x[[3, 40]] = np.nan, 0.0
    alone = np.array([function(value) for value in x])
    for offset in range(0, 17, 1 if not JIT_DISABLED else 8):
        for end in range(offset + 1, LENGTH + 1, 1 if not JIT_DISABLED else 33):
            out = np.full(LENGTH, -99.0)
            compiled(x[offset:end], out[offset:end])
            np.testing.assert_array_equal(out[offset:end], alone[offset:end])
            assert (out[end:] == -99.0).all()


@pytest.mark.skipif(JIT_DISABLED, reason="nothing is compiled")
@pytest.mark.parametrize(
    "loop",
    [
        exp_loop,
        expm1_loop,
        log_loop,
        cdf_loop,
        quantile_loop,
        event_loop,
        uniform_loop,
        normal_loop,
    ],
)
def test_loops_vectorise(loop):
    compiled = numba.njit(nogil=True, error_model="numpy")(loop)
    compiled(np.full(4, 0.5), np.empty(4))
    (code,) = compiled.inspect_llvm().values()
    assert re.search(r"fmul <\d+ x double>", code)
    assert not re.search(r"call double @(exp|log|expm1|pow)\(", code)


@pytest.mark.skipif(JIT_DISABLED, reason="nothing is compiled")
def test_no_operation_is_fused_or_reassociated():
    compiled = numba.njit(nogil=True, error_model="numpy")(quantile_loop)
    compiled(np.full(4, 0.5), np.empty(4))
    (code,) = compiled.inspect_llvm().values()
    assert not re.search(r"f(mul|add|sub|div) (fast|contract|reassoc)", code)
    (assembly,) = compiled.inspect_asm().values()
    assert not re.search(r"\bvfn?m(add|sub)", assembly)


@pytest.mark.nojit
def test_interpolation_of_a_table_takes_lanes_apart():
    table = np.linspace(-8.0, 8.0, 4097)
    for z in (-3.7, 0.0, 2.0625):
        assert interpolate_table(table, z) == pytest.approx(z, abs=1e-14)
