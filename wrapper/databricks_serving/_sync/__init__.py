"""The blocking shell: it sends, sleeps and closes, and decides nothing."""
