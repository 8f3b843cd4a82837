"""What docs/model-document.md is made of: a script for each set of numbers, and the pages' tables."""
