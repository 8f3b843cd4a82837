"""Mutation check of the kernels: small faults put in one at a time, and whether a test notices.

docs/mutation.md says what is done and found; `make mutants` does it.
"""
