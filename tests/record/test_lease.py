"""Who is alive: processes of this machine by their id and beginning, others by their lease."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from project import wait_for
from rarelabels.record import lease


def test_a_process_of_this_machine_is_gone_when_it_has_ended_and_no_other_has_its_id() -> None:
    code = "import sys; from rarelabels.record import lease; print(lease.owner(), flush=True); sys.stdin.read()"
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", code], stdin=pipe, stdout=pipe, text=True) as other:
        assert other.stdout is not None
        who = other.stdout.readline().strip()
        assert not lease.is_gone(who)
    assert lease.is_gone(who)
    assert not lease.is_gone(lease.owner())
    host, pid, _, place = lease.owner().split(" ")
    assert int(pid) == os.getpid()
    assert lease.is_gone(f"{host} {pid} 1 {place}")  # this process has the id of one that began before it
    assert lease.is_gone(f"{host} {pid} 1")  # in a record of 0.4.2


def test_of_a_machine_or_a_container_of_the_same_name_nothing_is_known_but_the_lease() -> None:
    host, pid, began, place = lease.owner().split(" ")
    boot, namespace = place.split("/")
    for elsewhere in (f"another/{namespace}", f"{boot}/pid:[1]"):
        assert not lease.is_gone(f"{host} {pid} 1 {elsewhere}")
        assert lease.is_over(f"{host} {pid} 1 {elsewhere}", f"{time.time() - 1:.0f}", time.time)
    assert not lease.is_gone(f"renamed {pid} {began} {place}")
    assert lease.is_gone(f"renamed {pid} 1 {place}")


def test_a_process_in_a_namespace_of_its_own_is_not_taken_for_one_that_is_gone() -> None:
    """As in a container: it has the id 1 there, and this machine has another process of that id."""
    code = "from rarelabels.record import lease; print(lease.owner())"
    command = ["unshare", "--pid", "--fork", "--mount-proc", sys.executable, "-c", code]
    ended = subprocess.run(command, capture_output=True, text=True)
    if ended.returncode:
        pytest.skip(f"no namespace can be made here: {ended.stderr}")
    who = ended.stdout.strip()
    assert who.split(" ")[1] == "1"
    assert not lease.is_gone(who)


def test_a_process_that_has_ended_is_gone_though_nobody_has_asked_for_its_end() -> None:
    """As in a container whose first process leaves the dead alone."""
    code = "from rarelabels.record import lease; print(lease.owner(), flush=True)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        who = other.stdout.readline().strip()
        wait_for(lambda: lease.is_gone(who), 60)
        assert other.returncode is None


def test_of_another_machine_the_lease_tells() -> None:
    elsewhere, here = "elsewhere 1 1", lease.owner()
    assert not lease.is_gone(elsewhere)
    late, early = f"{time.time() - 1:.0f}", lease.until(time.time())
    assert 299 <= float(early) - time.time() <= 301
    assert [lease.is_over(who, end, time.time) for who in (elsewhere, here) for end in (late, early, "")] == [
        *(True, False, False),
        *(True, False, False),
    ]


def test_a_lease_is_renewed_while_the_block_runs_whatever_a_renewal_dies_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "RENEWED_EVERY", 0.05)
    ends: list[float] = []

    def renew() -> None:
        ends.append(time.time())
        raise OSError("the record is away")

    with lease.renewed(renew):
        wait_for(lambda: len(ends) >= 3, 60)
    time.sleep(0.2)
    before = len(ends)
    time.sleep(0.2)
    assert len(ends) == before
