"""The report: whole, escaped, self-contained, the same bytes every time."""

from __future__ import annotations

import base64
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from simulator.analytics import analyse
from simulator.reports import pictures, render_report
from simulator.reports.tables.causes import by_year
from tests.unit.reports.synthetic import synthetic_run

pytestmark = pytest.mark.nojit

VOID = {"meta", "img", "br", "hr", "link", "input"}
HOSTILE = "<script>alert('x')</script> & \"book\""


class Page(HTMLParser):
    """Reads a page, checks nesting, keeps elements and text."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def html() -> str:
    return render_report(synthetic_run(600, title=HOSTILE))


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


def test_elements_nest(page: Page, html: str) -> None:
    assert page.open == []
    assert html.count("<!DOCTYPE html>") == 1
    assert html.index("<!DOCTYPE html>") < 3
    for tag in ("html", "head", "title", "body", "main", "h1"):
        assert len(page.all(tag)) == 1, tag


def test_no_script_and_no_style_from_a_name(page: Page, html: str) -> None:
    assert page.all("script") == []
    assert "<script" not in html
    assert HOSTILE in "".join(page.text)
    assert not any(name.startswith("on") for _, attrs in page.elements for name in attrs)


def test_nothing_is_asked_of_a_network(page: Page) -> None:
    for _, attributes in page.elements:
        for name in ("src", "href", "srcset", "action", "data", "poster"):
            value = attributes.get(name)
            assert value is None or value.startswith(("data:image/svg+xml;base64,", "#"))
    style = "".join(page.text)
    assert "@import" not in style
    assert "url(" not in style
    policy = next(a for a in page.all("meta") if a.get("http-equiv"))
    assert policy["http-equiv"] == "Content-Security-Policy"
    assert policy["content"] == "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def test_every_figure_has_words(page: Page) -> None:
    images = page.all("img")
    assert len(images) == 10
    for image in images:
        assert len(image["alt"] or "") > 40
    assert len(page.all("figcaption")) == len(images)


def test_figures_ask_nothing_of_a_network(page: Page) -> None:
    for image in page.all("img"):
        svg = base64.b64decode((image["src"] or "").partition(",")[2]).decode()
        assert "<script" not in svg
        outside = [link for link in re.findall(r'href="([^"]*)"', svg) if not link.startswith("#")]
        assert outside == []
        assert not re.search(r"url\((?!#)", svg)


def test_anchors_lead_somewhere(page: Page) -> None:
    names = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(names) == len(set(names))
    links = [attributes["href"] or "" for attributes in page.all("a")]
    assert links
    assert {link[1:] for link in links} <= set(names)


def test_every_table_is_captioned_and_even(html: str) -> None:
    tables = re.findall(r"<table>.*?</table>", html, flags=re.DOTALL)
    assert len(tables) > 15
    for table in tables:
        assert "<caption>" in table
        width = table.count('<th scope="col"')
        for row in re.findall(r"<tr[^>]*>.*?</tr>", table.partition("</thead>")[2], re.DOTALL):
            assert row.count("<th") + row.count("<td") == width


def test_sources_and_marks_are_shown(page: Page) -> None:
    text = " ".join(" ".join(page.text).split())
    for said in (
        "Values taken on an assumption",
        "no public number",
        "credit agreement, https://example.org/filing",
        "Alder A, Alder B",
        "gpu.delta -0.1 -0.12",
        "easing off",
        "digest of the resolved study " + "5f" * 32,
        "seed 7",
    ):
        assert said in text, said


def test_the_same_bytes_twice(html: str) -> None:
    assert render_report(synthetic_run(600, title=HOSTILE)) == html


def test_user_settings_of_matplotlib_do_not_show() -> None:
    import matplotlib as mpl

    picture = pictures(analyse(synthetic_run(300)))["facilities"]
    plain = picture.render("svg")
    with mpl.rc_context({"font.size": 20, "svg.hashsalt": "other", "axes.grid": False}):
        assert picture.render("svg") == plain
        assert mpl.rcParams["font.size"] == 20


def test_page_is_of_reasonable_size(html: str) -> None:
    assert len(html) < 4_000_000


def test_years_without_value_and_losses_without_event() -> None:
    """Coverage after all debt is repaid is NaN; a book may lose nothing."""
    run = synthetic_run(200)
    run["fan_book_dscr"][:, 60:] = np.nan
    run["fan_book_dscr_se"][:] = np.nan
    for name in ("lender_loss", "lender_loss_share", "book_lender_loss", "tranche_loss"):
        run[name] = run[name] * 0.0
    run["facility_default_month"] = run["facility_default_month"] * 0
    run["facility_default_cause"] = run["facility_default_cause"] * 0
    html = render_report(run)
    assert not re.search(r"\bnan\b", re.sub(r'src="[^"]*"', "", html), flags=re.IGNORECASE)
    assert "n/a" in html
    assert "&lt; 1.5%" in html  # 3/200


def test_run_without_optional_series() -> None:
    run = synthetic_run(200)
    drop = [n for n in run if str(n).startswith(("fan_sofr", "fan_rental_price_spot"))]
    names = set(pictures(analyse(run.drop_vars(drop))))
    assert "rental_price_spot" not in names
    assert "market" in names


def test_many_names_are_cut_in_figures_not_in_tables() -> None:
    run = synthetic_run(200)
    many = [f"Counterparty with a long name, number {i:02d}" for i in range(30)]
    defaults = np.zeros((200, 30), np.int16)
    defaults[:40] = 7
    wide = run.drop_dims("counterparty").assign(
        counterparty_default_month=(("path", "counterparty"), defaults)
    )
    analysis = analyse(wide.assign_coords(counterparty=many))
    shown = by_year(analysis, analysis.counterparty_defaults, "")
    assert [row[0] for row in shown.rows] == many
    figure = pictures(analysis)["names"].figure()
    assert len(figure.axes[1].get_lines()) == 6
