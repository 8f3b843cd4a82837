"""Sweeps: one study at many points, each a run of its own, all of them one Dataset."""
