"""MLflow's page on the record: its server, and a link to the runs of each study.

The server is for this machine only, unless another host is given. MLflow 3.17 opens on its pages for language models,
shows no metric of a run until columns are chosen, and sorts 1,300 charts by name. So each link selects the page for
model training, and names a saved view that is part of the record. The view has columns with the main metrics. Its first
charts are the curves, then come the test metrics by rule.
"""

from __future__ import annotations

import errno
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from configparser import ConfigParser
from http.client import HTTPConnection, HTTPException
from types import FrameType

from rarelabels import whole_files
from rarelabels.errors import UserError, without_password
from rarelabels.extras import need
from rarelabels.record import client as record_client
from rarelabels.record import connection as record_connection
from rarelabels.record import database, moved, opening, queries
from rarelabels.record.server import ADDRESSES

HERE = ("127.0.0.1", "localhost", "::1")
EVERYWHERE = ("0.0.0.0", "::")
PASSWORD, USERS, KEY = "MLFLOW_AUTH_ADMIN_PASSWORD", "MLFLOW_AUTH_CONFIG_PATH", "MLFLOW_FLASK_SERVER_SECRET_KEY"
HOSTS = "MLFLOW_SERVER_ALLOWED_HOSTS"
NEAR = (  # host names that MLflow always accepts: this machine, and the addresses of private networks
    *("localhost", "localhost:*", "127.0.0.1", "127.0.0.1:*", "[[]::1]:*", "10.*", "192.168.*", "fc00:*", "fd00:*"),
    *(f"172.{i}.*" for i in range(16, 32)),
)
ADMIN = "admin"
# This code runs in its own process, because importing MLflow's authentication starts its application.
RENEW = """
import json, sys
from mlflow.server.auth.sqlalchemy_store import SqlAlchemyStore
account = json.load(sys.stdin)
store = SqlAlchemyStore()
store.init_db(account["database"])
if store.has_user(account["name"]):  # else MLflow makes the user, with this password
    store.update_user(account["name"], password=account["password"])
"""
SHORTEST = 12  # characters that a password must have at least
START = 90  # seconds in which MLflow must start; it takes 5 on an idle machine
PAGE = "/#/experiments/{}/runs?workflowType=machine_learning"
VIEWS = {  # key in the link -> (name in the page's list of views, which runs)
    "rarelabels": ("Trials, seeds below", ""),
    "rarelabels-trials": ("Trials alone", "tags.kind = 'trial'"),  # fewer runs, so that the page loads all at once
}
COLUMNS = (
    *("test/half/macro_f1", "test/per_label/macro_f1", "test/ranking/macro_average_precision"),
    "test/half/binary_accuracy",
)
WIDTH = 190  # pixels of a column; only the end of the longest name is cut
SECTIONS = ("curve", "test/ranking", "test/half", "test/global", "test/per_label")  # other sections follow by name
COLOURS = (  # for the trials in turn: MLflow derives a run's colour from its id, so that many have the same colour
    *("#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b", "#e377c2", "#7f7f7f", "#bcbd22", "#17becf"),
    *("#08306b", "#a63603", "#00441b", "#67000d", "#3f007d", "#3d2317", "#7a0177", "#252525", "#5f5f00", "#005b63"),
)


def open_ui(where: str, host: str, port: int, say: Callable[[str], None]) -> None:
    """Serve MLflow's page on a record until Ctrl-C. If the record is a server, only print the links to its page.

    On any address but the loopback interface, the page is served with MLflow's basic auth. So users on other machines
    need a name and a password.

    Raises:
        UserError: nothing is recorded yet, the record does not answer, the port is taken, there is no password for
            other machines, or MLflow does not start.
    """
    if where.startswith(ADDRESSES):
        say("The record is on a server. Its pages:")
        _tell(_links(where, without_password(where.rstrip("/"))), say)
        return
    if not record_connection.is_begun(where):
        raise UserError(f"nothing is recorded yet in {where.removeprefix(database.SQLITE)}; begin with `make quick`")
    name = socket.gethostname() if host in EVERYWHERE else host
    access = {} if host in HERE else _basic_auth(where, host) | _answering_to(name)
    _check_free(host, port)
    record_client.mend(where)  # MLflow's server writes files to the addresses in the record
    links = _links(where, f"http://{f'[{name}]' if ':' in name else name}:{port}")
    # SIGTERM is handled like Ctrl-C, because a server that is left behind would hold the port
    signal.signal(signal.SIGTERM, _interrupt)
    say("starting MLflow ...")
    server = _start(where, host, port, access)
    try:
        _wait(server, HERE[0] if host in EVERYWHERE else host, port)
        _tell(links, say)
        if access:
            say(
                "other machines need a user name and a password, which are sent unencrypted; put a proxy with TLS "
                "before this server"
            )
        say("Ctrl-C ends the server")
        raise _ended(server.wait())
    except KeyboardInterrupt:
        pass
    finally:
        _end(server)


def _basic_auth(where: str, host: str) -> dict[str, str]:
    """Return the environment of a server with users. Their database is beside a local record, else in ``runs/``.

    Raises:
        UserError: a library is not installed, or the administrator's password is missing or too short.
    """
    need("flask_wtf", f"--host {host}: a password for other machines")
    folder = record_connection.outboxes(where).parent / "users"
    users, password = folder / "users.db", os.environ.get(PASSWORD, "")
    is_begun = users.exists() or USERS in os.environ
    if (password or not is_begun) and len(password) < SHORTEST:
        raise UserError(
            f"--host {host}: set {PASSWORD} to a password for the user admin, of {SHORTEST} characters or more; "
            f"given {f'{len(password)} characters' if password else 'none'}"
        )
    access = {KEY: os.environ.get(KEY) or secrets.token_hex(32)}
    if USERS not in os.environ:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        declared = folder / "basic_auth.ini"
        users.touch(mode=0o600)  # made here, because MLflow would make a file that others can read
        users.chmod(0o600)
        settings = f"default_permission = READ\nadmin_username = {ADMIN}\ndatabase_uri = sqlite:///{users}\n"
        whole_files.write(declared, f"[mlflow]\n{settings}".encode())
        declared.chmod(0o600)
        access[USERS] = str(declared)
    if password and is_begun:
        _renew_password(access.get(USERS) or os.environ[USERS], password)
    return access


def _renew_password(declared: str, password: str) -> None:
    """Set the administrator's password in a user database. MLflow itself reads the variable only the first time.

    Raises:
        UserError: the database cannot be changed.
    """
    settings = ConfigParser()
    settings.read(declared, "utf-8")
    of = settings["mlflow"] if settings.has_section("mlflow") else {}
    account = {"database": of.get("database_uri", ""), "name": of.get("admin_username", ADMIN), "password": password}
    environment = os.environ | {PASSWORD: password, USERS: declared, "MLFLOW_DISABLE_TELEMETRY": "true"}
    ended = subprocess.run(
        [sys.executable, "-c", RENEW], input=json.dumps(account), env=environment, capture_output=True, text=True
    )
    if ended.returncode:
        reason = (ended.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise UserError(
            f"{PASSWORD} is set, but the password of the administrator in {declared} could not be changed to it "
            f"({reason}); unset {PASSWORD} to keep the old password"
        )


def _answering_to(name: str) -> dict[str, str]:
    """Return the environment of a server that accepts a host name. MLflow refuses requests to other names."""
    if HOSTS in os.environ:
        return {}
    names = dict.fromkeys((name, socket.getfqdn(name)))
    return {HOSTS: ",".join([*NEAR, *names, *(f"{one}:*" for one in names)])}


def view(name: str, search: str) -> str:
    """Return a saved view in the format of MLflow's page: JSON within JSON, of at most 5,000 characters.

    MLflow keeps it as a tag of the experiment.

    Args:
        name: of the view, in the page's list of views.
        search: filter of the runs; empty for all runs.
    """
    sections = [
        {"uuid": name, "name": name, "display": True, "isReordered": False, "deleted": False, "isGenerated": True}
        for name in SECTIONS
    ]
    columns = [f"metrics.`{name}`" for name in COLUMNS]
    state = {
        "searchFilter": search,
        "orderByKey": "attributes.start_time",  # in any other order, seeds do not fold under their trial
        "orderByAsc": False,
        "startTime": "ALL",
        "lifecycleFilter": "Active",
        "datasetsFilter": [],
        "modelVersionFilter": "All Runs",
        "selectedColumns": columns,
        "columnOrder": columns,  # without an order, MLflow ignores the widths
        "columnWidths": dict.fromkeys(columns, WIDTH),
        "runsHiddenMode": "FIRST_20_RUNS",  # as many as there are colours
        "compareRunSections": sections,
        "compareRunCharts": [],
        "isAccordionReordered": True,  # otherwise MLflow sorts the sections by name again
        "hideEmptyCharts": True,
        "useGroupedValuesInCharts": True,
        "groupBy": None,
    }
    return json.dumps({"name": name, "createdAt": 0, "updatedAt": 0, "state": json.dumps(state)})


def _links(where: str, page: str) -> list[tuple[str, str]]:
    """Return the name and the link of each experiment. Views for the links, and colours, are put into the record."""
    client = record_connection.connect(where)
    found = []
    for experiment in queries.experiments(client):
        link = page + PAGE.format(experiment.experiment_id)
        if opening.colour_trials(client, experiment.experiment_id, COLOURS):
            for key, (name, search) in VIEWS.items():
                opening.offer_view(client, experiment, key, view(name, search))
            link += f"&viewStateShareKey={next(iter(VIEWS))}"
        found.append((experiment.name.removeprefix(moved.ROOT), link))
    if not found:
        raise UserError("nothing is recorded yet; begin with `make quick`")
    return found


def _tell(links: list[tuple[str, str]], say: Callable[[str], None]) -> None:
    width = max(len(name) for name, _ in links)
    for name, link in links:
        say(f"  {name:{width}}  {link}")


def _check_free(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # ignores a server that has just ended
        try:
            tried.bind((host, port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise UserError(f"--host {host}: is no address of this machine ({error.strerror})") from error
            raise UserError(
                f"port {port} is taken ({error.strerror}), perhaps by another `rarelabels ui`; else: "
                f"rarelabels ui --port {port + 1}"
            ) from error


def _start(where: str, host: str, port: int, access: Mapping[str, str]) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "mlflow", "server", "--host", host, "--port", str(port), "--workers", "1"]
    command += ["--uvicorn-opts", "--log-level warning"]  # otherwise each request is logged
    command += ["--app-name", "basic-auth"] if access else []
    # The address is passed in the environment: it may have a password, and other users can see the arguments.
    environment = os.environ | {"MLFLOW_BACKEND_STORE_URI": where, "MLFLOW_DISABLE_TELEMETRY": "true"} | dict(access)
    environment |= {"PYTHONWARNINGS": "ignore", "MLFLOW_LOGGING_LEVEL": "WARNING"}
    environment |= {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}  # saves six processes that are not needed here
    # The server gets its own process group. So Ctrl-C reaches only this process, which then ends the whole group.
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, start_new_session=True)


def _wait(server: subprocess.Popen[bytes], host: str, port: int) -> None:
    """Wait until the server answers."""
    until = time.monotonic() + START
    while server.poll() is None:
        try:
            connection = HTTPConnection(host, port, timeout=1)
            connection.request("GET", "/health")
            if connection.getresponse().status == 200:
                return
        except (OSError, HTTPException):
            pass
        if time.monotonic() > until:
            raise UserError(f"MLflow has not answered on port {port} for {START} seconds; try again")
        time.sleep(0.2)
    raise _ended(server.returncode)


def _ended(code: int) -> UserError:
    return UserError(f"MLflow ended with code {code}; its own messages are above")


def _end(server: subprocess.Popen[bytes]) -> None:
    for key in (signal.SIGINT, signal.SIGTERM):
        signal.signal(key, signal.SIG_IGN)  # a second Ctrl-C must not leave the server behind
    for how in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(server.pid, how)
            server.wait(5)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
