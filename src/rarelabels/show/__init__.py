"""What users see: figures, tables on a terminal, the report, a judgement, MLflow's page.

``judgement`` has the object that ``rarelabels.judge`` returns. ``tables.of_judgement`` arranges it in sections,
``judgement_html`` shows these in a notebook or as a page, and ``figures.of_judgement`` draws its figure.
"""
