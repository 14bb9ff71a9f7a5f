"""Recordings of exchanges, made once and replayed without a network."""
