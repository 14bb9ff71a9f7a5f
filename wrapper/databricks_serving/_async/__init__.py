"""The asynchronous shell: it sends, sleeps and closes, and decides nothing."""
