"""Train the models with full TensorFlow and export them, quantized, for the edge app."""
