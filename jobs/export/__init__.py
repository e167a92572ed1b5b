"""The export of a saved Keras model becomes a variant."""
