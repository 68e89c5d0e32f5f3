"""The limits of this machine, measured where they are asked for (see limits.cpp)."""

import ctypes
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

SOURCE = Path(__file__).with_name("limits.cpp")
COMPILER = os.environ.get("CXX") or shutil.which("clang++-22") or "c++"


class Limits:
    """Rates of `threads` threads; the fastest that was seen so far counts."""

    def __init__(self, threads, seconds=0.03):
        self.threads, self.seconds = threads, seconds
        self._best = {}
        with tempfile.TemporaryDirectory() as folder:
            library = Path(folder) / "limits.so"
            subprocess.run([COMPILER, "-std=c++17", "-O2", "-march=native", "-shared", "-fPIC",
                            "-pthread", SOURCE, "-o", library], check=True)
            self._library = ctypes.CDLL(str(library))
        self._library.macRate.restype = self._library.readRate.restype = ctypes.c_double

    def _keep(self, key, rate):
        self._best[key] = max(self._best.get(key, 0), rate)
        return self._best[key]

    def macs_per_second(self, unit):
        return self._keep(unit, self._library.macRate(
            unit.encode(), self.threads, ctypes.c_double(self.seconds)))

    def bytes_per_second(self, size):
        """Of a working set of `size` bytes."""
        return self._keep(size, self._library.readRate(
            ctypes.c_size_t(max(size, 1 << 14)), self.threads, ctypes.c_double(self.seconds)))
