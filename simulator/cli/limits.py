"""The option --fail-on: limits that end a command with exit code 3."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from simulator.analytics.limits import Checked

__all__ = ["any_breached", "fail_on", "limits_as_text"]

fail_on = click.option(
    "--fail-on",
    "fail_on",
    metavar="LIMIT",
    multiple=True,
    help="Exit with 3 if this holds, e.g. 'book.es99 > 250' (USD m), 'book.el > 0.5%' (of what "
    "was lent), 'facility.ID.pd > 50bp', 'sponsor.ID.pd > 5%'; may be given several times.",
)


def any_breached(checked: Sequence[Checked]) -> bool:
    """Tell whether any limit is breached."""
    return any(one.breached for one in checked)


def limits_as_text(checked: Sequence[Checked]) -> str:
    """Return a line for each limit."""
    return "\n".join(f"limit {one}" for one in checked)
