"""The month told once, blocks of paths, and what runs them."""
