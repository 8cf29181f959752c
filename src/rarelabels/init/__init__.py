"""A stranger's table to a study: look at it, guess its columns, warn of leaks, write the declarations."""
