"""Figures: each one draws a table of analytics on Axes and returns them; none computes."""
