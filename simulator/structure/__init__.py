"""Notes over pools of loans: what members pay in, and who is paid out of it."""
