"""A server of our own in a process of its own, on this machine alone."""

import json
import subprocess
import sys
import urllib.request
from pathlib import Path

import numpy as np
import pytest

from beholder.media.frames import Picture

SERVER = Path(__file__).with_name("server.py")


class Server:
    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(SERVER)], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL
        )
        assert self.process.stdout is not None
        self.url = f"http://127.0.0.1:{int(self.process.stdout.readline())}"

    def behave(self, **how) -> None:
        """Answer like this from now on; what was seen is forgotten."""
        self._call("/behave", json.dumps(how).encode())

    def seen(self) -> dict:
        return self._call("/seen")

    def _call(self, path, data=None):
        with urllib.request.urlopen(self.url + path, data, timeout=20) as response:
            return json.loads(response.read())

    def stop(self) -> None:
        self.process.kill()
        if self.process.stdout is not None:
            self.process.stdout.close()
        self.process.wait()


@pytest.fixture(scope="module")
def running():
    pytest.importorskip("httpx", reason="needs pip install 'beholder[remote]'")
    server = Server()
    yield server
    server.stop()


@pytest.fixture
def server(running, monkeypatch):
    monkeypatch.delenv("BEHOLDER_API_KEY", raising=False)
    running.behave()
    return running


@pytest.fixture
def mortal():
    """A server that may die."""
    pytest.importorskip("httpx", reason="needs pip install 'beholder[remote]'")
    server = Server()
    yield server
    server.stop()


@pytest.fixture
def grey():
    """The maker of even pictures: brightness → Picture."""
    return lambda bright: Picture(np.full((8, 8, 3), bright, np.uint8))
