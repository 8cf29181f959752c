"""Use the winner: register it in MLflow, predict the rows of a file, serve it over HTTP."""
