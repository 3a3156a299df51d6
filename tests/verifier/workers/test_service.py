"""What a worker says of a shard that it cannot even begin to read."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from pydantic import SecretStr

from chains.errors import ChainConfigError
from verifier.config import DatabaseSettings, Settings
from verifier.errors import ConfigError, StoreUnavailable
from verifier.store import Store
from verifier.store.work_queue import READ_SHARD
from verifier.workers.service import WorkerService
from verifier.workers.shard_worker import ShardOutcome, ShardWorker

CANARY = "canary-5e21"


def told_of_one_shard(failure: Exception | None) -> tuple[WorkerService, list[tuple[str, int, ShardOutcome]]]:
    """A worker whose reading ends so, after the queue gave it shard 3."""
    database = DatabaseSettings(url=SecretStr("postgresql+psycopg://custody@127.0.0.1:1/books"))
    settings = Settings.model_validate({"firm": {"name": "Example"}}).model_copy(update={"database": database})
    shown: list[tuple[str, int, ShardOutcome]] = []
    service = WorkerService(
        settings,
        clock=lambda: datetime(2026, 11, 23, tzinfo=UTC),
        actor="tests",
        on_shard=lambda sweep_id, number, outcome: shown.append((sweep_id, number, outcome)),
    )

    class Reads:
        def work(self, sweep_id: str, number: int) -> ShardOutcome:
            if failure is not None:
                raise failure
            return ShardOutcome.STORED

    task: Any = service._app(cast("Store", None), cast("ShardWorker", Reads())).tasks[READ_SHARD]
    asyncio.run(task(sweep_id="eip155:1/9/1", number=3))
    return service, shown


@pytest.mark.parametrize(
    ("failure", "outcome"),
    [
        (None, ShardOutcome.STORED),
        (StoreUnavailable("away"), ShardOutcome.LOST),
        (ConfigError("chain eip155:1 is not configured"), ShardOutcome.REFUSED),
        (ChainConfigError("the variable with the node's URL is empty"), ShardOutcome.REFUSED),
        (RuntimeError(CANARY), ShardOutcome.REFUSED),
    ],
)
def test_every_shard_that_was_taken_is_told(
    failure: Exception | None, outcome: ShardOutcome, capsys: pytest.CaptureFixture[str]
) -> None:
    """The queue forgets the job whatever happens: without a word a worker with another configuration looks idle."""
    service, shown = told_of_one_shard(failure)
    assert shown == [("eip155:1/9/1", 3, outcome)]
    assert service.outcomes == {outcome: 1}
    said = "".join(capsys.readouterr())
    assert CANARY not in said
    assert ("eip155:1/9/1" in said) is (failure is not None)
