"""One file for each kind of data, and what finds, downloads and checks the files it reads."""
