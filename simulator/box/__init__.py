"""Boxes: contracts, deliveries, costs, debt, waterfall, covenants, workout, accounts."""
