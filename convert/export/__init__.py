"""Export: from a Keras model to a published folder of .tflite files."""
