"""The baselines that networks are compared with: floors, logistic regression, boosted trees. No TensorFlow."""
