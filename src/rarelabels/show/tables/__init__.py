"""Tables of a study and of a judgement, for a terminal."""
