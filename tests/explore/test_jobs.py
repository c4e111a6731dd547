"""Order, failures and time left of the work in the background."""

from __future__ import annotations

import threading

from scintscope.errors import InputError, ScintscopeError
from scintscope.explore.jobs import Job, Jobs, seconds_in_words


def worked_off(*jobs: Job, preferred: str = "") -> tuple[list[str], dict[str, str]]:
    """Return names in the order in which jobs began behind one that blocks, and what failed."""
    order: list[str] = []
    failed: dict[str, str] = {}

    def note(job: Job, error: ScintscopeError) -> None:
        failed[job.name] = str(error)

    queue = Jobs(note)
    gate = threading.Event()

    def recorded(job: Job) -> Job:
        def make() -> None:
            order.append(job.name)
            job.make()

        return Job(name=job.name, make=make, rank=job.rank, subject=job.subject)

    queue.add(*(Job(name="gate", make=gate.wait, rank=-1) for _ in range(2)))
    queue.add(*(recorded(job) for job in jobs))
    queue.start()
    if preferred:
        queue.prefer(preferred)
    gate.set()
    queue.wait()
    assert not queue.busy
    assert queue.status() == ""
    return order, failed


def idle(name: str, rank: int, subject: str = "") -> Job:
    return Job(name=name, make=lambda: None, rank=rank, subject=subject)


def test_low_ranks_come_first() -> None:
    """Of jobs that wait, those of the lowest rank are begun first, whatever their order."""
    order, _ = worked_off(*(idle(str(rank), rank) for rank in (9, 0, 9, 0)))
    assert sorted(order[:2]) == ["0", "0"]


def test_what_is_preferred_comes_before_its_rank() -> None:
    """A subject that a visitor waits for is begun before all else."""
    jobs = [idle("other", 0, "other"), idle("other", 0, "other"), idle("wanted", 5, "wanted")]
    order, _ = worked_off(*jobs, preferred="wanted")
    assert "wanted" in order[:2]


def test_a_failure_is_told_and_the_rest_goes_on() -> None:
    """An error of ours in one job is kept as its sentence; the jobs after it are done."""

    def fail() -> None:
        raise InputError("no such plate.")

    wrong = Job(name="wrong", make=fail, rank=0)
    order, failed = worked_off(wrong, idle("after", 1))
    assert failed == {"wrong": "no such plate."}
    assert sorted(order) == ["after", "wrong"]


def test_a_job_may_add_others() -> None:
    """What a job adds while it runs is done before the queue counts as empty."""
    queue = Jobs(lambda job, error: None)
    done: list[str] = []
    later = Job(name="later", make=lambda: done.append("later"), rank=0)
    queue.add(Job(name="first", make=lambda: queue.add(later), rank=0))
    queue.start()
    queue.wait()
    assert done == ["later"]


def test_time_left_counts_what_is_asked_for() -> None:
    """Before anything has run, two threads share the expected seconds up to the rank asked for."""
    queue = Jobs(lambda job, error: None)
    jobs = [Job(name=str(r), make=lambda: None, rank=r, seconds=10.0) for r in range(3)]
    queue.add(*jobs)
    assert queue.seconds_left() == 15.0
    assert queue.seconds_left(0) == 5.0


def test_rough_times_are_rough_words() -> None:
    """A time that is only estimated is not said to the second."""
    assert [seconds_in_words(s) for s in (3.0, 44.0, 200.0)] == [
        "a few seconds", "about 40 s", "about 3 min",
    ]  # fmt: skip
