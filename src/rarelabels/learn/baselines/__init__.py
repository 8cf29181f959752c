"""What every network is compared with: floors, logistic regression, boosted trees. No TensorFlow."""
