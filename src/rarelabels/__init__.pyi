from rarelabels.study.from_python import load_model as load_model
from rarelabels.study.from_python import run as run
from rarelabels.study.from_python import tune as tune
from rarelabels.study.recorded_study import Study as Study

__version__: str
