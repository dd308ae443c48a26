"""Training data: MNIST, drawn digits and non-digits."""
