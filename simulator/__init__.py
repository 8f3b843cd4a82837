"""Monte Carlo risk simulator for portfolios of GPU loans."""
