"""Whether a stored run is what it says: its files hashed, blocks of its paths computed again."""
