"""The web server: what it lets in, and how it starts and stops."""
