"""What both shells have in common: nothing here sends, waits or runs in a loop."""
