"""The reader's own table: its files (``table_files``), columns, cells, and the readers of its cells."""
