"""Compares two versions of the OpenAPI contract and says whom each difference breaks."""
