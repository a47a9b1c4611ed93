"""A module that is busy before anybody has asked it for anything."""

from __future__ import annotations

import contextlib
import socket
import threading
from pathlib import Path

from bad.good import Good

print("welcome to the recipe")
Path(__file__).with_name("imported.txt").write_text("yes", encoding="utf-8")
threading.Thread(target=threading.Event().wait, args=(0.5,), name="at work", daemon=True).start()
with contextlib.suppress(OSError):
    socket.create_connection(("127.0.0.1", 1), timeout=0.1)


class BusyImport(Good):
    pass
