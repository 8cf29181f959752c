"""The winner leaves the house: into MLflow's registry, onto rows of a file, behind HTTP."""
