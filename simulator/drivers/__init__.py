"""Risk drivers of the market, one a file."""
