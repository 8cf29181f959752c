"""Tables on a terminal: of a study, of a judgement."""
