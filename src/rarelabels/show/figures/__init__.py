"""Figures of a trial, of thresholds, of a search, of a study. ``which`` decides which figures a study gets."""
