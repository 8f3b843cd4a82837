"""The invented deals of the template, as plain cells."""

from __future__ import annotations

from typing import Any

_INVENTED = "an invented example"

STUDY: dict[str, Any] = {
    "schema": "neobox.study/1",
    "name": "my-study",
    "description": "One sponsor with two boxes; all names are invented.",
    "start": "2026-11",
    "tape": "tape",
    "sites": {
        "north-hall": {"jurisdiction": "US", "source": _INVENTED},
        "south-hall": {
            "jurisdiction": "Europe",
            "power_factor": 1.3,
            "energised": False,
            "source": _INVENTED,
        },
    },
    "counterparties": {
        "Example Search": {"kind": "hyperscaler", "rating": "Aa3", "source": _INVENTED},
        "Example Lab": {"kind": "ai_lab", "rating": "unrated", "source": _INVENTED},
    },
    "sponsors": {
        "Example Cloud": {
            "cash_usd_m": 900,
            "market_value_usd_m": 4000,
            "source": _INVENTED,
            "assumed": "cash_usd_m: two years of coupons; market_value_usd_m: twice its equity",
        }
    },
}
"""The study of the template; keys that are not here take their defaults."""

TAPE: dict[str, list[dict[str, Any]]] = {
    "boxes": [
        {
            "box": "BOX-A",
            "sponsor": "Example Cloud",
            "generation": "GB300",
            "recourse": "none",
            "default_dscr": 1.15,
            "source": _INVENTED,
        },
        {
            "box": "BOX-B",
            "sponsor": "Example Cloud",
            "generation": "H200",
            "recourse": "full",
            "source": _INVENTED,
        },
    ],
    "debt": [
        {
            "tranche": "TERM-A",
            "box": "BOX-A",
            "commitment_usd_m": 1500,
            "drawn_usd_m": 700,
            "drawn_asof": "2026-09",
            "close": "2026-03",
            "draw_end": "2027-06",
            "maturity": "2031-12",
            "margin_bp": 300,
            "hedge_share": "95%",
            "advance": "85%",
            "amortisation": "sculpted",
            "sculpt_dscr": 1.3,
            "source": _INVENTED,
        },
        {
            "tranche": "TERM-B",
            "box": "BOX-B",
            "commitment_usd_m": 360,
            "drawn_usd_m": 290,
            "drawn_asof": "2026-06",
            "close": "2025-06",
            "maturity": "2030-06",
            "fixed_rate": "9.5%",
            "source": _INVENTED,
        },
        {
            "tranche": "NOTES-2031",
            "sponsor": "Example Cloud",
            "kind": "notes",
            "commitment_usd_m": 500,
            "close": "2026-02",
            "maturity": "2031-02",
            "fixed_rate": "9%",
            "source": _INVENTED,
        },
    ],
    "contracts": [
        {
            "contract": "SEARCH-1",
            "box": "BOX-A",
            "offtaker": "Example Search",
            "term_months": 60,
            "source": _INVENTED,
            "assumed": "term_months: as the debt",
        },
        {
            "contract": "LAB-1",
            "box": "BOX-B",
            "offtaker": "Example Lab",
            "price_usd_per_gpu_hour": 2.6,
            "term_months": 60,
            "source": _INVENTED,
        },
    ],
    "assets": [
        {
            "asset": "A-1",
            "box": "BOX-A",
            "contract": "SEARCH-1",
            "site": "north-hall",
            "gpus": 12000,
            "accepted": "2026-09",
            "source": _INVENTED,
        },
        {
            "asset": "A-2",
            "box": "BOX-A",
            "contract": "SEARCH-1",
            "site": "south-hall",
            "gpus": 9500,
            "planned_delivery": "2027-03",
            "source": _INVENTED,
        },
        {
            "asset": "B-1",
            "box": "BOX-B",
            "contract": "LAB-1",
            "site": "north-hall",
            "cost_usd_m": 350,
            "accepted": "2025-10",
            "source": _INVENTED,
        },
        {
            "asset": "B-2",
            "box": "BOX-B",
            "site": "north-hall",
            "cost_usd_m": 150,
            "accepted": "2025-10",
            "source": _INVENTED,
        },
    ],
}
"""The tape of the template, cells by table; blank ones are left out."""
