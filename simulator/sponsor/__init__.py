"""HoldCos: liquidity, support, default, estate."""
