"""The run of the probes in a record."""

from rarelabels.record import connection, queries


def only_run(where: str):
    client = connection.connect(where)
    runs = client.search_runs([queries.find_experiment(client, "probes")])
    assert [run.info.status for run in runs] == ["FINISHED"]
    return client, runs[0]
