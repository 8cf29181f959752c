"""What eyes see: figures, tables on a terminal, the report, a judgement, MLflow's page."""
