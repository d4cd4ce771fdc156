"""Adding a base model on the page: begun, done by a process, interrupted, repeated, stopped, discarded."""

import datetime as dt
import errno
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import DataError
from django.utils import timezone

from adapters.base_models.services import add_base_model, remove_base_model
from adapters.base_models.sources import room
from adapters.models import BaseModel, BaseModelWork, WorkState
from adapters.operator import doing, lease, starting
from adapters.operator.doing import do_work
from adapters.operator.queries import additions
from adapters.operator.services import discard_work, start_addition, start_check, stop_work, try_again
from adapters.operator.starting import AT_ONCE, TRIES, start_due
from adapters.operator.states import TRANSITIONS, move_work
from rest.errors import Conflict, PortalError
from tenants.models import User
from tests.adapters.base_models.hub import Hub

pytestmark = pytest.mark.django_db

FROM_HUB = "hf://maker/small"


@pytest.fixture(autouse=True)
def no_processes(monkeypatch: pytest.MonkeyPatch) -> list[BaseModelWork]:
    """What a process would be started for."""
    started: list[BaseModelWork] = []
    monkeypatch.setattr(starting, "_spawn", started.append)
    return started


@pytest.fixture
def begin(site: Path, olga: User) -> Callable[..., BaseModelWork]:
    def call(source: str = FROM_HUB, name: str = "small", **facts: str) -> BaseModelWork:
        return start_addition(source=source, name=name, facts=facts, started_by=olga)

    return call


Begin = Callable[..., BaseModelWork]


def done(work: BaseModelWork) -> BaseModelWork:
    """The work after a process was started for it and has ended."""
    start_due()
    work.refresh_from_db()
    assert work.state == WorkState.RUNNING
    do_work(work)
    work.refresh_from_db()
    return work


def expire(work: BaseModelWork) -> None:
    """As if the process that was at it had died."""
    BaseModelWork.objects.filter(id=work.id).update(lease_expires_at=timezone.now() - dt.timedelta(hours=1))


def test_one_of_the_hub_is_fetched_checked_and_added(hub: Hub, begin: Begin, site: Path) -> None:
    work = done(begin(title="Small", licence="", sagemaker_uri="", training_instance="ml.g6e.xlarge"))
    added = BaseModel.objects.get()
    assert (work.state, work.base_model, work.error_text) == (WorkState.DONE, added, "")
    assert (added.name, added.title, added.licence) == ("small", "Small", "apache-2.0")
    assert (added.location, added.training_instance) == (str(site / "small"), "ml.g6e.xlarge")
    assert added.checked_at is not None
    assert {"level": "ok", "text": "Its files are those that were added."} in added.findings


def test_a_folder_is_read_where_it_is(uploaded: Path, begin: Begin) -> None:
    work = done(begin("uploaded", "small"))
    assert (work.state, work.source) == (WorkState.DONE, str(uploaded))
    assert BaseModel.objects.get().location == str(uploaded)


def test_one_that_failed_can_be_tried_again(hub: Hub, begin: Begin) -> None:
    hub.is_gated = True
    work = done(begin())
    assert work.state == WorkState.FAILED
    assert "is gated: accept its licence on the hub" in work.error_text
    hub.is_gated = False
    try_again(work=work)
    work.refresh_from_db()
    assert (work.state, work.error_text) == (WorkState.WAITING, "")
    assert done(work).state == WorkState.DONE


def test_one_whose_process_died_after_the_fetch_is_not_fetched_again(hub: Hub, begin: Begin) -> None:
    first = done(begin())
    # As the process left it that had fetched everything and registered nothing.
    BaseModel.objects.all().delete()
    hub.read.clear()
    again = BaseModelWork.objects.create(kind=first.kind, name=first.name, source=first.source)
    assert done(again).state == WorkState.DONE
    assert hub.read == []


def test_lost_work_is_taken_over_and_its_late_process_writes_nothing(
    hub: Hub, begin: Begin, no_processes: list[BaseModelWork]
) -> None:
    begin()
    start_due()
    start_due()
    (first,) = no_processes
    expire(first)
    start_due()
    second = no_processes[1]
    assert (second.id, second.fence, second.tries) == (first.id, first.fence + 1, 2)
    assert not move_work(first, WorkState.FAILED, error_text="late")
    second.refresh_from_db()
    assert (second.state, second.error_text) == (WorkState.RUNNING, "")


def test_what_is_interrupted_again_and_again_is_given_up_in_words(
    begin: Begin, no_processes: list[BaseModelWork]
) -> None:
    work = begin()
    for _ in range(TRIES + 1):
        start_due()
        expire(work)
    work.refresh_from_db()
    assert (work.state, len(no_processes)) == (WorkState.FAILED, TRIES)
    assert "interrupted too often" in work.error_text
    try_again(work=work)
    start_due()
    assert len(no_processes) == TRIES + 1


def test_what_was_stopped_waits_for_its_process_to_end(begin: Begin, no_processes: list[BaseModelWork]) -> None:
    work = begin()
    start_due()
    work.refresh_from_db()
    stop_work(work=work)
    with pytest.raises(Conflict, match="still being stopped"):
        discard_work(work=work)
    try_again(work=work)
    start_due()
    assert len(no_processes) == 1, "two of them must not write to the same files"
    expire(work)
    start_due()
    assert len(no_processes) == 2


def test_few_run_at_once_and_the_oldest_first(begin: Begin, no_processes: list[BaseModelWork]) -> None:
    names = [f"small-{number}" for number in range(AT_ONCE + 1)]
    for name in names:
        begin(name=name)
    start_due()
    assert [work.name for work in no_processes] == names[:AT_ONCE]
    no_processes[0].refresh_from_db()
    stop_work(work=no_processes[0])
    start_due()
    assert no_processes[-1].name == names[-1]


def test_a_disk_without_room_is_said_in_words(hub: Hub, begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "SPARE_BYTES", 2**60)
    work = done(begin())
    assert work.state == WorkState.FAILED
    assert "has to stay free" in work.error_text
    assert hub.read == []


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "The server’s disk is full."),
        (OSError(errno.EACCES, "Permission denied"), "The server could not do it: Permission denied."),
        (RuntimeError("secret"), "An unexpected error stopped it (RuntimeError)."),
        (DataError("secret"), "An unexpected error stopped it (DataError)."),
    ],
    ids=["full", "refused", "unexpected", "refused by the database"],
)
def test_what_goes_wrong_meanwhile_is_said_in_words(
    uploaded: Path, begin: Begin, monkeypatch: pytest.MonkeyPatch, error: Exception, words: str
) -> None:
    def breaks(**_: Any) -> None:
        raise error

    monkeypatch.setattr(doing, "add_base_model", breaks)
    said = done(begin("uploaded")).error_text
    assert said.startswith(words)
    assert "secret" not in said


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("hf://maker/none", "The hub has no public model maker/none."),
        ("hf://maker/small@nowhere", "has no revision nowhere"),
    ],
)
def test_a_source_that_is_not_there_says_so(hub: Hub, begin: Begin, source: str, words: str) -> None:
    work = done(begin(source))
    assert work.state == WorkState.FAILED
    assert words in work.error_text
    assert not BaseModel.objects.exists()


def test_a_hub_that_cannot_be_reached(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    assert "The hub could not be reached" in done(begin()).error_text


def test_a_folder_that_is_no_base_model_fails_with_all_that_is_wrong(uploaded: Path, begin: Begin) -> None:
    (uploaded / "tokenizer.json").unlink()
    assert done(begin("uploaded")).error_text == "It has no tokenizer.json."


def test_a_name_that_is_taken_is_refused(hub: Hub, uploaded: Path, begin: Begin, site: Path) -> None:
    add_base_model(folder=uploaded, name="there")
    (site / "files").mkdir()
    begin(name="begun")
    for name in ("there", "files", "begun"):
        with pytest.raises(Conflict) as caught:
            begin(name=name)
        assert (caught.value.code, caught.value.field) == ("base_model:name_taken", "name"), name


@pytest.mark.parametrize("name", ["../up", "two words", "", "<b>x</b>"])
def test_a_name_is_what_callers_can_send(begin: Begin, name: str) -> None:
    with pytest.raises(PortalError) as caught:
        begin(name=name)
    assert (caught.value.code, caught.value.field) == ("base_model:bad_name", "name")


def test_only_what_has_ended_can_be_discarded_and_only_what_has_not_be_stopped(begin: Begin) -> None:
    work = begin()
    with pytest.raises(Conflict) as caught:
        discard_work(work=work)
    assert caught.value.code == "base_model:busy"
    stop_work(work=work)
    with pytest.raises(Conflict) as caught:
        stop_work(work=work)
    assert caught.value.code == "base_model:not_running"
    discard_work(work=work)
    assert not BaseModelWork.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_discarding_deletes_what_was_fetched_and_nothing_else(
    hub: Hub, uploaded: Path, begin: Begin, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "SPARE_BYTES", 2**60)
    work = done(begin())
    assert (site / ".small").is_dir()
    discard_work(work=work)
    assert sorted(path.name for path in site.iterdir()) == ["uploaded"]
    # A folder was not fetched, and is not the site's to delete.
    (uploaded / "config.json").unlink()
    failed = done(begin("uploaded", "uploaded"))
    discard_work(work=failed)
    assert uploaded.is_dir()
    assert not BaseModelWork.objects.exists()


def test_a_check_is_done_once_at_a_time_and_kept(uploaded: Path, olga: User) -> None:
    base_model = add_base_model(folder=uploaded, name="small")
    work = start_check(base_model=base_model, started_by=olga)
    with pytest.raises(Conflict) as caught:
        start_check(base_model=base_model, started_by=olga)
    assert caught.value.code == "base_model:busy"
    (uploaded / "config.json").write_text((uploaded / "config.json").read_text() + "\n")
    assert done(work).state == WorkState.DONE
    base_model.refresh_from_db()
    assert base_model.findings[0]["level"] == "wrong"
    assert "differ from those that were added" in base_model.findings[0]["text"]
    done(start_check(base_model=base_model, started_by=olga))
    assert BaseModelWork.objects.count() == 1, "the last one tells all"


def test_every_state_has_its_moves() -> None:
    assert TRANSITIONS.keys() == set(WorkState)
    assert TRANSITIONS[WorkState.DONE] == frozenset()


def test_one_interrupted_while_it_is_checked_only_checks_again(
    uploaded: Path, begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(_: BaseModel) -> None:
        raise RuntimeError

    with monkeypatch.context() as broken:
        broken.setattr(doing, "check", breaks)
        work = done(begin("uploaded"))
    assert (work.state, work.base_model) == (WorkState.FAILED, BaseModel.objects.get())
    assert additions() == []
    monkeypatch.setattr(doing, "add_base_model", breaks)
    try_again(work=work)
    assert done(work).state == WorkState.DONE


def test_removing_a_base_model_while_it_is_checked_ends_the_work(
    uploaded: Path, begin: Begin, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def removed(base_model: BaseModel) -> list[object]:
        remove_base_model(base_model=BaseModel.objects.get(id=base_model.id))
        return []

    monkeypatch.setattr(doing, "check", removed)
    begin("uploaded")
    start_due()
    work = BaseModelWork.objects.get()
    do_work(work)
    assert not BaseModelWork.objects.exists()
    assert "base_model_work_failed" not in caplog.text


@pytest.mark.parametrize("source", ["x" * 256, f"uploaded/{'x' * 300}.gguf"], ids=["folder", "file"])
def test_a_path_that_no_disk_holds_is_refused(begin: Begin, source: str) -> None:
    with pytest.raises(PortalError) as caught:
        begin(source)
    assert caught.value.code == "base_model:bad_source"


def test_counting_what_is_fetched_survives_a_folder_that_vanishes(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    def vanishes(_self: Path, _pattern: str) -> None:
        raise FileNotFoundError

    work = begin()
    monkeypatch.setattr(Path, "rglob", vanishes)
    assert lease._fetched(work) == 0
