"""From a user's table to a study: look at the table, guess its columns, warn of leaks, write the declarations."""
