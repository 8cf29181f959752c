"""Frozen networks that turn images into features. Each has a module; ``extraction`` has the code that they share."""
