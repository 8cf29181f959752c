from rarelabels.learn import losses as losses

__version__: str
