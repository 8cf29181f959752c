"""Frozen networks that turn images into features, each in its file; ``extraction`` is what they share."""
