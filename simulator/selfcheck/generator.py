"""Cases of random numbers: known answers of the generator, Sobol points, the normal quantile.

Sobol points are SciPy's, which quasi-random runs take theirs from.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import qmc

from simulator.analytics import Estimate, mean
from simulator.numerics.normal import normal_quantile
from simulator.numerics.philox import philox4x32_10
from simulator.selfcheck.estimating import share_of
from simulator.selfcheck.estimators import uniforms
from simulator.selfcheck.kinds import Draws, Kind, sampled
from simulator.selfcheck.months import Result

__all__ = ["CASES"]

Words = NDArray[np.uint64]

LOWEST_32 = (1 << 32) - 1
POINT = r"^point_(\d+)/\d+$"
COORDINATE = r"^(\d+)/d(\d+)$"
FIRST_POINTS = 16


def words_of(text: str) -> list[int]:
    """Return 32-bit words written in hexadecimal, apart by blanks."""
    return [int(word, 16) for word in text.split()]


def text_of(words: tuple[np.uint32, ...]) -> str:
    """Write 32-bit words in hexadecimal."""
    return " ".join(f"{int(word):08x}" for word in words)


def known_blocks(_case: Mapping[str, Any], draws: Draws) -> Result:
    """Encrypt counters by Philox4x32-10; counters and keys stand in the names of what is asked.

    Parameters
    ----------
    _case : mapping
        Has no parameters.
    draws : Draws
        What is asked: ``c0 c1 c2 c3 | k0 k1/rounds10``.
    """
    figures = {}
    for name in dict.fromkeys(path.split("/")[0] for path in draws.words):
        counter, key = (words_of(part) for part in name.split("|"))
        figures[name] = {"rounds10": text_of(philox4x32_10(*counter, *key))}
    return Result({}, figures)


def consecutive_blocks(_case: Mapping[str, Any], draws: Draws) -> Result:
    """Encrypt consecutive counters by Philox4x32-10.

    Parameters
    ----------
    _case : mapping
        Has no parameters.
    draws : Draws
        Words of the case: ``NAME/counter`` and ``NAME/key``.
    """
    figures = {}
    for name in dict.fromkeys(path.split("/")[0] for path in draws.words):
        counter, key = (
            words_of(draws.words[f"{name}/counter"]),
            words_of(draws.words[f"{name}/key"]),
        )
        first = sum(word << (32 * place) for place, word in enumerate(counter))
        blocks = []
        for number in range(first, first + 8):
            now = [(number >> (32 * place)) & LOWEST_32 for place in range(4)]
            blocks.append(philox4x32_10(*now, *key))
        high, low = int(blocks[0][0]), int(blocks[0][1])
        figures[name] = {
            "first_32_words": [text_of(block) for block in blocks],
            "u53_from_first_two_words": ((high << 32 | low) >> 11) * 2.0**-53,
        }
    return Result({}, figures)


def first_points(_case: Mapping[str, Any], draws: Draws) -> Result:
    """Return the first Sobol points, Gray order, with the table of them that a case may name."""
    wanted = [int(found[1]) for found in matches(POINT, draws)]
    dimensions = 1 + max(int(found[0].split("/")[1]) for found in matches(POINT, draws))
    count = max(FIRST_POINTS, 1 + max(wanted))
    points = sobol(dimensions).random(1 << (count - 1).bit_length())[:count]
    columns = {f"d{place + 1}": points[:FIRST_POINTS, place] for place in range(dimensions)}
    index = np.arange(float(FIRST_POINTS))
    return Result(
        {"index": index, **columns}, {f"point_{number}": points[number] for number in wanted}
    )


def later_points(_case: Mapping[str, Any], draws: Draws) -> Result:
    """Return coordinates of Sobol points far along, Gray order."""
    asked = [(found[1], int(found[2])) for found in matches(COORDINATE, draws)]
    dimensions = max(place for _, place in asked)
    figures: dict[str, dict[str, float]] = {}
    for number, place in asked:
        point = sobol(dimensions).fast_forward(int(number)).random(1)[0]
        figures.setdefault(number, {})[f"d{place}"] = point[place - 1]
    return Result({}, figures)


def matches(pattern: str, draws: Draws) -> list[re.Match[str]]:
    """Return what is asked that has a pattern."""
    return [found for path in draws.asked if (found := re.match(pattern, path))]


def sobol(dimensions: int) -> qmc.Sobol:
    """Return the plain sequence, direction numbers of Joe and Kuo (2008)."""
    return qmc.Sobol(dimensions, scramble=False)


def quantiles_of_normal(case: Mapping[str, Any], draws: Draws) -> Result:
    """Return the normal quantile at the probabilities of a table.

    Parameters
    ----------
    case : mapping
        ``csv`` with the columns ``p_double`` and ``N_inv_25_digits``.
    draws : Draws
        Folder of the table.
    """
    with (draws.folder / case["csv"]).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    found = np.array([normal_quantile(float(row["p_double"])) for row in rows])
    return Result({"N_inv_25_digits": found})


TESTS = 100
DRAWS = 1 << 16
MATRICES = 4_000
SPACINGS = 4_096
URNS = 1 << 28


def statistical_tests(_case: Mapping[str, Any], draws: Draws) -> Result:
    """Run tests of randomness on draws of many paths at one address, as a run of the model takes.

    Each figure is the mean of a test's statistic over independent streams, against its mean under
    the law of true random numbers.
    """

    def sample(test: str, number: int, count: int = DRAWS) -> NDArray[np.float64]:
        return uniforms(draws.seed, f"test.{test}", count, number)

    def over(statistic: Any, tests: int = TESTS) -> Estimate:
        return mean([statistic(number) for number in range(tests)])

    def equal(number: int) -> float:
        return chi_square(
            np.bincount((256.0 * sample("bins", number)).astype(np.int64), minlength=256)
        )

    def serial(number: int) -> float:
        cell = (64.0 * sample("pairs", number)).astype(np.int64)
        pair = 64 * cell[::2] + cell[1::2]
        return chi_square(np.bincount(pair, minlength=4096))

    def birthdays(number: int) -> float:
        days = np.sort((2.0**32 * sample("birthdays", number, SPACINGS)).astype(np.int64))
        spacings = np.diff(days)
        return float(spacings.size - np.unique(spacings).size)

    def collisions(number: int) -> float:
        urns = (URNS * sample("collisions", number)).astype(np.int64)
        return float(urns.size - np.unique(urns).size)

    words = (2.0**32 * sample("rank", 0, 32 * MATRICES)).astype(np.uint64)
    ranks = binary_ranks(words.reshape(MATRICES, 32))
    return Result(
        {},
        {
            "chi2_256_bins": {"df": over(equal)},
            "serial_pairs_64x64": {"df": over(serial)},
            "binary_rank_32x32": {
                **{str(rank): share_of(ranks == rank) for rank in (32, 31, 30)},
                "<=29": share_of(ranks <= 29),
            },
            "birthday_spacings": {"lam": over(birthdays, 2 * TESTS)},
            "collisions": {"mean": over(collisions)},
        },
    )


def chi_square(counts: NDArray[np.int64]) -> float:
    """Return Pearson's statistic of counts of equally likely cells."""
    expected = counts.sum() / counts.size
    return float(((counts - expected) ** 2).sum() / expected)


def binary_ranks(rows: Words) -> NDArray[np.int64]:
    """Return the ranks of matrices of bits, (matrix,), from their rows as words, (matrix, row)."""
    rows = rows.copy()
    ranks = np.zeros(len(rows), dtype=np.int64)
    used = np.zeros(rows.shape, dtype=bool)
    every = np.arange(len(rows))
    for bit in range(32):
        has = (rows >> np.uint64(bit)) & np.uint64(1) == 1
        free = has & ~used
        pivot, found = free.argmax(axis=1), free.any(axis=1)
        row = rows[every, pivot]
        clear = has & found[:, None]
        clear[every, pivot] = False
        rows ^= np.where(clear, row[:, None], np.uint64(0))
        used[every[found], pivot[found]] = True
        ranks += found
    return ranks


CASES: dict[str, Kind] = {
    "known_blocks": sampled(known_blocks, asks=r"/rounds10$"),
    "consecutive_blocks": sampled(consecutive_blocks, asks=r"/u53_from_first_two_words$"),
    "first_points": sampled(first_points, asks=POINT),
    "later_points": sampled(later_points, asks=COORDINATE),
    "quantiles_of_normal": sampled(quantiles_of_normal, "csv", "n"),
    "statistical_tests": sampled(statistical_tests, asks=r"^binary_rank_32x32/"),
}
