"""Python types as JSON Schema, and JSON as objects of these types."""
