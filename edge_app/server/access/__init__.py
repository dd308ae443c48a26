"""Access: who may open the page, under which name, and over which connection."""
