"""Write the generated parts of docs/drivers again: tables between markers, and figures.

python docs/make_pages.py                     # about a minute
python docs/make_pages.py --out pages --paths 500

A page says what it wants between two comments, and what stands there is replaced:

    <!-- parameters: dem.g_path dem.sigma -->    rows of simulator/config/parameters.csv
    <!-- quantiles: tightness utilisation -->    5%, 50%, 95% points after one to five years
    <!-- figure: demand -->                      a figure of `neobox market`, or one of this folder
    <!-- table: widths -->                       a table of page_tables.py or make_backtest.py
    <!-- end -->
"""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import click
import make_backtest
import page_figures
import page_tables
import xarray as xr
from PIL import Image

import simulator
from simulator.analytics.market import market_fans
from simulator.reports.canvas import Picture
from simulator.reports.catalogue.market import market_pictures

ROOT: Final = Path(__file__).resolve().parents[1]
PAGES: Final = ROOT / "docs" / "drivers"
STUDY: Final = ROOT / "configs" / "neocloud-2026.yaml"
HALLS: Final = ROOT / "configs" / "halls.yaml"
PATHS, SEED = 10_000, 1
DPI, COLOURS = 100, 64
MARKED: Final = re.compile(
    r"(<!-- (parameters|quantiles|figure|table): ([\w. ]+?) -->\n).*?(<!-- end -->)", re.DOTALL
)


@dataclass(frozen=True)
class Numbers:
    """Everything the pages are made of, each part simulated when it is first asked for.

    Attributes
    ----------
    paths, seed : int
        Of every simulation.
    """

    paths: int = PATHS
    seed: int = SEED

    @cached_property
    def market(self) -> xr.Dataset:
        """The market of November 2026."""
        return simulator.simulate_market(STUDY, self.paths, self.seed)

    @cached_property
    def fans(self) -> xr.Dataset:
        """Its fans."""
        return market_fans(self.market)

    @cached_property
    def halls(self) -> xr.Dataset:
        """The market of a study that holds halls."""
        return simulator.simulate_market(HALLS, self.paths, self.seed)

    @cached_property
    def fans_of_halls(self) -> xr.Dataset:
        """Its fans."""
        return market_fans(self.halls)

    @cached_property
    def backtest(self) -> make_backtest.Backtest:
        """The market of January 2024 and what came."""
        market = simulator.simulate_market(make_backtest.STUDY, self.paths, self.seed)
        return make_backtest.compare(market)

    @cached_property
    def tables(self) -> Mapping[str, Callable[[], str]]:
        """Tables by the names that pages call them."""
        return {
            "contract_price": lambda: page_tables.contract_price(self.fans),
            "widths": lambda: page_tables.widths(STUDY, self.paths, self.seed),
            "spot_volatility": lambda: page_tables.spot_volatility(self.market),
            "term_structure": lambda: page_tables.term_structure(self.fans),
            "correlations": lambda: page_tables.correlations(STUDY),
            "yearly_correlations": lambda: page_tables.yearly_correlations(self.market),
            "air_pockets": lambda: page_tables.shares(
                self.fans, "air_pocket", "yes", (12, 24, 36, 60)
            ),
            "late_sites": lambda: page_tables.shares(
                self.fans, "site_late", "yes", (0, 3, 6, 12, 24)
            ),
            "power_certainty": page_tables.power_certainty,
            "hall_rents": lambda: page_tables.hall_rents(self.fans_of_halls),
            "hall_widths": lambda: page_tables.hall_widths(self.halls),
            "shut": lambda: page_tables.shares(
                self.fans, "credit_market_shut", "yes", (12, 24, 36, 60)
            ),
            "backtest_sentence": lambda: make_backtest.share_sentence(self.backtest),
            "backtest_shares": lambda: make_backtest.share_table(self.backtest),
            "backtest_points": lambda: make_backtest.point_table(self.backtest),
            "backtest_volatility": lambda: make_backtest.volatility_table(self.backtest),
        }

    @cached_property
    def pictures(self) -> Mapping[str, Picture]:
        """Figures by the names that pages call them."""
        return {
            **market_pictures(self.market, self.fans),
            "halls": market_pictures(self.halls, self.fans_of_halls)["halls"],
            "easing": page_figures.easing_picture(STUDY, self.paths, self.seed),
            "currencies": page_figures.currency_picture(STUDY, self.paths, self.seed),
            "correlations": page_figures.correlation_picture(STUDY),
            "resale_curve": page_figures.resale_picture(),
            "backtest": make_backtest.picture(self.backtest),
        }


def filled(text: str, numbers: Numbers) -> str:
    """Return a page with everything between its markers made anew.

    Parameters
    ----------
    text : str
        Markdown.
    numbers : Numbers
        What to fill in.
    """

    def part(found: re.Match[str]) -> str:
        opening, kind, names, closing = found.groups()
        if kind == "parameters":
            made = page_tables.parameters(*names.split())
        elif kind == "quantiles":
            made = page_tables.quantiles(numbers.fans, *names.split())
        elif kind == "table":
            made = numbers.tables[names]()
        else:
            made = f"![{numbers.pictures[names].alt}](figures/{names}.png)"
        return f"{opening}{made}\n{closing}"

    return MARKED.sub(part, text)


def small_png(picture: Picture) -> bytes:
    """Return a figure as PNG in few colours: the same bytes for the same data and libraries."""
    drawn = Image.open(io.BytesIO(picture.render("png", DPI))).convert("RGB")
    out = io.BytesIO()
    few = drawn.quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    few.save(out, "png", optimize=True)
    return out.getvalue()


def make(out: Path, numbers: Numbers) -> None:
    """Write every page and figure.

    Parameters
    ----------
    out : Path
        Folder of the pages; those of the project are read, and written there.
    numbers : Numbers
        What to fill in.
    """
    out.mkdir(parents=True, exist_ok=True)
    wanted = set()
    for page in sorted(PAGES.glob("*.md")):
        text = page.read_text(encoding="utf-8")
        wanted |= {names for _, kind, names, _ in MARKED.findall(text) if kind == "figure"}
        (out / page.name).write_text(filled(text, numbers), encoding="utf-8")
    (out / "figures").mkdir(exist_ok=True)
    for name in sorted(wanted):
        (out / "figures" / f"{name}.png").write_bytes(small_png(numbers.pictures[name]))


@click.command()
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), default=PAGES, help="Folder."
)
@click.option("--paths", type=click.IntRange(1), default=PATHS, show_default=True)
def main(out: Path, paths: int) -> None:
    """Write the generated parts of docs/drivers again."""
    make(out, Numbers(paths))
    sys.stdout.write(f"{out}\n")


if __name__ == "__main__":
    main()
