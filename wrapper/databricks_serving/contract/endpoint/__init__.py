"""Makes a typed package for one custom model from what is known of its contract."""
