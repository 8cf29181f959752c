"""The report: one HTML page of what is recorded, from ``contents``, ``panels`` and ``pictures``."""
