"""Timings of the engine, each beside something else timed in the same run: `make bench`."""
