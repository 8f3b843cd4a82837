"""Tables of a report: numbers of analytics as text, cut to their standard errors."""
