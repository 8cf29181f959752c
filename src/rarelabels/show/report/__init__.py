"""The report: one HTML page on recorded studies. ``contents`` collects it, ``pictures`` and ``panels`` draw it."""
