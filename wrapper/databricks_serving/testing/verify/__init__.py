"""Recordings held against a contract and the typed models."""
