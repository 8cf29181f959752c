"""Small checks of what this version of Keras, TensorFlow and scikit-learn does with multi-hot labels."""
