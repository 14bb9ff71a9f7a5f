"""Functions as tools, and the rules of a run of them."""
