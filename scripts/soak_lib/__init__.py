"""Figures of the client under load and abuse, each measured and asserted in one run."""
