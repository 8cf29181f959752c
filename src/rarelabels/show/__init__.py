"""What eyes see: figures, tables on a terminal, the report, a judgement, MLflow's page.

``judgement`` is what ``rarelabels.judge`` returns; ``tables.of_judgement`` says what is shown of it, ``judgement_html``
shows it in a notebook and as a page, ``figures.of_judgement`` draws it.
"""
