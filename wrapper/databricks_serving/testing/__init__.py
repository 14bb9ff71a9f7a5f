"""Tests of code that calls model-serving endpoints, without an endpoint."""
