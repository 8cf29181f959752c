"""Figures: of a trial, of thresholds, of a search, of a study; ``which`` decides on those of a study."""
