"""The console's own widgets: lines of styled spans that repaint only what changed."""
