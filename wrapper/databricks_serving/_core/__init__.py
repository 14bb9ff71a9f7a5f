"""Everything that decides: no socket, no clock and no event loop in here."""
