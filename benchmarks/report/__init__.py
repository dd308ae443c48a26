"""Reports: results as text, HTML and JSON, and the comparison of two results."""
