"""What a run on this machine printed can be read while its folder is there."""

from pathlib import Path

from jobs.backends.local import LOG_BYTES, LocalCompute


def test_the_end_of_the_log_is_read(tmp_path: Path) -> None:
    backend = LocalCompute("default", {"ROOT": tmp_path})
    assert backend.log_tail("gone") == ()
    (tmp_path / "run").mkdir()
    log = tmp_path / "run" / "log.txt"
    log.write_bytes(b"x" * LOG_BYTES + b"\nfirst\nsecond \xff\nthird\n")
    assert backend.log_tail("run", lines=2) == ("second \ufffd", "third")
