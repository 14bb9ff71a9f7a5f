"""Compares this client with others that call the same endpoints, in one run on one machine."""
