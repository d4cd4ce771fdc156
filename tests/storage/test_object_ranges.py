"""Parts of objects, from a folder and from S3."""

import io
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from django.core.files.storage import default_storage
from moto import mock_aws
from pytest_django import Settings

from storage.errors import ObjectMissing
from storage.objects import CHUNK_BYTES, object_lines, read_range

KEY = "tenants/a/rows"


@pytest.fixture(params=["folder", "s3"])
def put(request: pytest.FixtureRequest, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Stores bytes under KEY."""

    def store(content: bytes) -> None:
        default_storage.delete(KEY)
        assert default_storage.save(KEY, io.BytesIO(content)) == KEY

    if request.param == "folder":
        yield store
        default_storage.delete(KEY)
        return
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with mock_aws():
        boto3.client("s3", region_name="us-east-1").create_bucket(Bucket="objects")
        options = {"bucket_name": "objects", "region_name": "us-east-1"}
        backend = {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options}
        settings.STORAGES = {**settings.STORAGES, "default": backend}
        assert hasattr(default_storage, "bucket")
        yield store


def test_a_range_ends_where_the_object_does(put: Any) -> None:
    put(b"0123456789")
    assert read_range(KEY, 0, 4) == b"0123"
    assert read_range(KEY, 8, 100) == b"89"
    assert read_range(KEY, 10, 5) == b""
    assert read_range(KEY, 10**9, 5) == b""


def test_what_is_not_there_says_so(put: Any) -> None:
    put(b"x")
    for key in ("tenants/a/other", ""):
        with pytest.raises(ObjectMissing):
            read_range(key, 0, 1)
        with pytest.raises(ObjectMissing):
            next(object_lines(key))


@pytest.mark.parametrize(
    "lines",
    [
        [],
        [b"a"],
        [b"a\rb", b"", b"\xe2\x80\xa8c"],
        [b"x" * (CHUNK_BYTES - 1), b"y", b"z" * CHUNK_BYTES],
        [b"x" * (2 * CHUNK_BYTES + 7)],
    ],
)
def test_lines_come_whole_and_from_any_of_them_on(lines: list[bytes], put: Any) -> None:
    content = b"".join(line + b"\n" for line in lines)
    put(content)
    assert list(object_lines(KEY)) == lines
    if lines:
        assert list(object_lines(KEY, len(lines[0]) + 1)) == lines[1:]


def test_a_last_line_needs_no_break(put: Any) -> None:
    put(b"a\nb")
    assert list(object_lines(KEY)) == [b"a", b"b"]
