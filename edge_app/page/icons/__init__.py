"""The icons that browsers ask for."""
