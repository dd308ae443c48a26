"""The device that serves: what it is, its addresses, and its last benchmark."""
