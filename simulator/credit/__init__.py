"""Counterparties and the leases they pay."""
