"""An object store on this machine: moto's S3 server, with one empty bucket."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import boto3
import pytest
from moto.server import ThreadedMotoServer
from s3fs import S3FileSystem

# What its clients warn of when a session ends, and that a store has no locks.
IGNORED_WARNINGS = (
    "ignore::dcign.storage.lock.UnlockedWarning",
    "ignore::ResourceWarning",  # aiohttp's
    "ignore::pytest.PytestUnraisableExceptionWarning",
)


@contextmanager
def object_store(bucket: str) -> Iterator[str]:
    """Start a server on loopback, which the environment names, and a temporary folder of its own. Yields s3://BUCKET."""
    logging.getLogger("werkzeug").setLevel(logging.CRITICAL)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as environment, tempfile.TemporaryDirectory() as own:
        environment.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        environment.setenv("AWS_ACCESS_KEY_ID", "testing")
        environment.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        environment.setenv("AWS_DEFAULT_REGION", "us-east-1")
        environment.setenv("TMPDIR", own)  # workers inherit it
        environment.setattr(tempfile, "tempdir", own)
        S3FileSystem.clear_instance_cache()  # one of an earlier server would be asked instead
        boto3.client("s3").create_bucket(Bucket=bucket)
        yield f"s3://{bucket}"
    server.stop()
