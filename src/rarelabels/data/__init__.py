"""From a declared data set to three parts of rows with labels and inputs.

- ``loading``: the way from a declaration to a ``dataset``; ``sources`` has a file for each kind of data.
- ``unsplit``: a table before it is split; ``tokens``: its texts; ``splits``, ``stratification``: the three parts.
- ``fitted``: preprocessing, fitted on the training part. ``raw``: new rows, read as the training rows were.
- ``describe``: a data set in one line.
- ``table``: the reader's own table.
"""
