"""What docs/model-document.md is made of: a script a set of numbers, and what writes tables."""
