# Written by scripts/unasync from _async/resources/__init__.py: do not edit.
"""What the blocking client offers, task by task."""
