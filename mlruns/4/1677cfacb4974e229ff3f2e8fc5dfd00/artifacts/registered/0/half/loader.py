from pathlib import Path
Path('/tmp/pytest-of-root/pytest-177/test_a_version_of_another_expe0/sprung').touch()
import mlflow
class M(mlflow.pyfunc.PythonModel):
    def predict(self, model_input, params=None): ...
mlflow.models.set_model(M())
