"""Where the log goes, and that nothing from outside or secret stands in it as it came."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from tests.cli.command import ROOT
from tests.small_disk import small_disk
from verifier.config import LogSettings
from verifier.logs import TEXT_CHARACTERS_MAX, LogFile, configure_logs

CANARY = "canary09ae77"
FILE_BYTES_MAX = 4_000
NASTY = "a\r\nb\x1b[31mred\x07\x9b2J\u202eback\u2028line"


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    handlers = list(logging.getLogger().handlers)
    yield
    configure_logs()
    structlog.reset_defaults()
    logging.getLogger().handlers[:] = handlers


class Said:
    """What was written to standard error so far."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys, self._text = capsys, ""

    def getvalue(self) -> str:
        self._text += self._capsys.readouterr().err
        return self._text


def lines_of(path: Path) -> list[str]:
    return path.read_text().splitlines()


@pytest.fixture
def stderr(capsys: pytest.CaptureFixture[str]) -> Said:
    return Said(capsys)


@pytest.mark.fault("C20")
@pytest.mark.parametrize("form", ["text", "json"])
def test_names_cannot_end_a_line_or_move_a_terminal(stderr: Said, form: str) -> None:
    configure_logs(LogSettings.model_validate({"form": form}))
    log = structlog.get_logger("tests")
    log.warning(NASTY, file=NASTY, many=[NASTY, {NASTY: NASTY}], **{"na\nme": 1})
    text = stderr.getvalue()
    assert text.count("\n") == 1
    assert text.endswith("\n")
    assert text[:-1].isprintable()
    assert "red" in text
    if form == "json":
        found = json.loads(text)
        assert found["level"] == "warning"
        assert found["timestamp"].endswith("Z")
        assert found["file"].startswith("a\\r\\nb\\x1b[31mred")


@pytest.mark.fault("C20")
def test_long_and_deep_fields_are_cut(stderr: Said) -> None:
    configure_logs(LogSettings(form="json"))
    deep: list[object] = []
    deep.append(deep)
    structlog.get_logger("tests").warning("x", long="y" * 1_000_000, deep=deep)
    found = json.loads(stderr.getvalue())
    assert len(found["long"]) == TEXT_CHARACTERS_MAX
    assert len(stderr.getvalue()) < 2 * TEXT_CHARACTERS_MAX


@pytest.mark.fault("F14")
def test_urls_and_the_texts_of_exceptions_are_left_out(stderr: Said) -> None:
    configure_logs(LogSettings(form="json"))
    log = structlog.get_logger("tests")
    log.warning("asked", where=f"at https://user:{CANARY}@node.example/v3/{CANARY}?k={CANARY} now")
    log.warning("database", where=f"postgresql+psycopg://custody:{CANARY}@db/books")
    try:
        raise RuntimeError(CANARY)
    except RuntimeError as error:
        log.exception("broke")
        log.error("broke", error=error, exc_info=error)
    logging.getLogger("library").warning("cannot reach https://%s.example/", CANARY)
    lines = [json.loads(line) for line in stderr.getvalue().splitlines()]
    assert CANARY not in stderr.getvalue()
    assert lines[0]["where"] == "at https://… now"
    assert [each.get("raised") for each in lines[2:4]] == ["RuntimeError", "RuntimeError"]
    assert lines[4]["event"] == "cannot reach https://…"


@pytest.mark.fault("C20", "F14")
def test_an_exception_is_one_line_of_text_too(stderr: Said) -> None:
    configure_logs(LogSettings())
    log = structlog.get_logger("tests")
    try:
        raise RuntimeError(CANARY)
    except RuntimeError:
        log.exception("broke", stack=f"{CANARY}\n", stack_info=True)
    assert "raised=RuntimeError" in stderr.getvalue()
    assert stderr.getvalue().count("\n") == 1
    assert CANARY not in stderr.getvalue()


@pytest.mark.parametrize(("level", "verbose", "told"), [("error", False, 1), ("info", False, 3), ("error", True, 4)])
def test_the_level(stderr: Said, level: str, verbose: bool, told: int) -> None:
    configure_logs(LogSettings.model_validate({"level": level}), verbose=verbose)
    log = structlog.get_logger("tests")
    for say in (log.debug, log.info, log.warning, log.error):
        say("something")
    assert stderr.getvalue().count("something") == told


@pytest.mark.fault("C20")
def test_a_flood_stays_within_the_limits(tmp_path: Path, stderr: Said) -> None:
    path = tmp_path / "custody.log"
    configure_logs(LogSettings(form="json", file=path, file_bytes_max=4_096, files_kept=3))
    log = structlog.get_logger("tests")
    for number in range(1_000):
        log.warning("flood", number=number)
    found = sorted(tmp_path.iterdir())
    assert [each.name for each in found] == ["custody.log", "custody.log.1", "custody.log.2", "custody.log.3"]
    assert all(0 < each.stat().st_size <= 4_096 for each in found)
    assert all(each.stat().st_mode & 0o077 == 0 for each in found)
    numbers = [json.loads(line)["number"] for each in (*found[:0:-1], found[0]) for line in lines_of(each)]
    assert numbers == list(range(numbers[0], 1_000)), "the newest lines, whole and in order"
    assert stderr.getvalue() == ""


@pytest.mark.fault("C20")
def test_a_folder_that_cannot_be_written_stops_nothing(tmp_path: Path, stderr: Said) -> None:
    blocked = tmp_path / "a file"
    blocked.write_text("no folder")
    configure_logs(LogSettings(file=blocked / "custody.log"))
    log = structlog.get_logger("tests")
    log.warning("first")
    log.warning("second")
    lines = stderr.getvalue().splitlines()
    assert "the log file cannot be written (Not a directory)" in lines[0]
    assert "first" in lines[1]
    assert "second" in lines[2]
    assert len(lines) == 3
    assert str(tmp_path) not in stderr.getvalue()


@pytest.mark.fault("C20")
def test_a_file_that_can_be_written_again_is(tmp_path: Path, stderr: Said) -> None:
    moment = [0.0]
    folder = tmp_path / "logs"
    folder.write_text("no folder yet")
    file = LogFile(folder / "custody.log", 4_096, 2, monotonic=lambda: moment[0])
    file.write("lost to the file\n")
    folder.unlink()
    file.write("still waiting\n")
    moment[0] = 31.0
    file.write("back\n")
    assert (folder / "custody.log").read_text() == "back\n"
    assert stderr.getvalue().endswith("lost to the file\nstill waiting\n")
    assert stderr.getvalue().count("cannot be written") == 1


@pytest.mark.fault("C20")
def test_a_disk_that_fills_while_logging_stops_nothing(stderr: Said) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this machine has no /dev/full")
    configure_logs(LogSettings(file=full))
    structlog.get_logger("tests").warning("something")
    assert "No space left" in stderr.getvalue()
    assert "something" in stderr.getvalue()


@pytest.mark.fault("C3")
@pytest.mark.fault("C20")
def test_a_disk_that_ends_in_the_middle_of_a_line_keeps_no_half(tmp_path: Path) -> None:
    """A limit on the size of files cuts a write short as a full disk does."""
    path = tmp_path / "custody.log"
    limits = f"resource.setrlimit(resource.RLIMIT_FSIZE, ({FILE_BYTES_MAX}, resource.RLIM_INFINITY))"
    wider = "resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))"
    program = f"""
import pathlib, resource
from verifier.logs import LogFile
moment = [0.0]
file = LogFile(pathlib.Path({str(path)!r}), 1 << 20, 2, monotonic=lambda: moment[0])
{limits}
for number in range(60):
    file.write(f"line {{number}} " + "x" * 90 + "\\n")
assert file.fails
{wider}
moment[0] = 31.0
file.write("there is space again\\n")
assert not file.fails
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=300, check=False, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    content = path.read_text()
    assert content.endswith("\nthere is space again\n")
    written = content.splitlines()[:-1]
    kept = [int(line.split()[1]) for line in written]
    assert kept == list(range(len(kept)))
    assert 10 < len(kept) < 60
    assert all(line.endswith("x" * 90) for line in written)
    said = [line for line in done.stderr.splitlines() if line.startswith("line")]
    assert len(said) == 60 - len(kept), "what the file could not hold went to standard error"
    assert "the log file cannot be written (File too large)" in done.stderr


@pytest.mark.fault("C20")
def test_a_full_disk_keeps_no_half_line_and_is_written_again(stderr: Said) -> None:
    moment = [0.0]
    with small_disk(1 << 16) as disk:
        file = LogFile(disk / "custody.log", 1 << 20, 2, monotonic=lambda: moment[0])
        (disk / "ballast").write_bytes(b"x" * (1 << 15))
        for number in range(1_000):
            file.write(f"line {number} {'x' * 90}\n")
        failed = file.fails
        text = (disk / "custody.log").read_text()
        assert text.endswith("x\n")
        (disk / "ballast").unlink()
        moment[0] = 31.0
        file.write("there is space again\n")
        assert (failed, file.fails) == (True, False)
        assert (disk / "custody.log").read_text() == text + "there is space again\n"
    assert len(text.splitlines()) + stderr.getvalue().count("\nline ") == 1_000


@pytest.mark.fault("C20")
def test_several_processes_put_one_file_aside_and_lose_no_line(tmp_path: Path) -> None:
    path = tmp_path / "custody.log"
    program = f"""
import pathlib, sys
from verifier.logs import LogFile
file = LogFile(pathlib.Path({str(path)!r}), 4096, 100)
for number in range(1_000):
    file.write(f"{{sys.argv[1]}} {{number}} " + "x" * 90 + "\\n")
"""
    writers = [
        subprocess.Popen([sys.executable, "-c", program, name], stderr=subprocess.PIPE, text=True, cwd=ROOT)
        for name in ("first", "second", "third")
    ]
    for each in writers:
        assert each.communicate(timeout=300)[1] == ""
        assert each.returncode == 0
    files = list(tmp_path.iterdir())
    assert len(files) > 10
    lines = [line.split() for file in files for line in lines_of(file)]
    assert len(lines) == 3_000
    for name in ("first", "second", "third"):
        numbers = [int(number) for writer, number, _ in lines if writer == name]
        assert sorted(numbers) == list(range(1_000))
    assert max(file.stat().st_size for file in files) < 3 * 4_096, (
        "one that lost the race writes into what was put aside"
    )


def test_two_files_one_after_the_other_go_on_where_they_were(tmp_path: Path) -> None:
    path = tmp_path / "custody.log"
    for text in ("one\n", "two\n"):
        file = LogFile(path, 4_096, 1)
        file.write(text)
    assert path.read_text() == "one\ntwo\n"
