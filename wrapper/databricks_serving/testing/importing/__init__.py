"""Recordings out of what other tools have recorded."""
