"""What the asynchronous client offers, task by task."""
