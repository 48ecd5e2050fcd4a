"""The kernel behind a notebook's page, asked from the test."""

from __future__ import annotations

import ast
from pathlib import Path

from jupyter_client.blocking.client import BlockingKernelClient


class Kernel:
    """A second client of a running kernel: the page is the first."""

    def __init__(self, connection: Path) -> None:
        self.client = BlockingKernelClient(connection_file=str(connection))
        self.client.load_connection_file()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)

    def run(self, code: str, timeout: float = 60) -> str:
        """Run *code* in the kernel and return what it prints; its exception fails the test."""
        printed: list[str] = []
        failed: list[str] = []

        def hear(message) -> None:
            content = message["content"]
            if message["msg_type"] == "stream":
                if content["name"] == "stdout":  # what a thread warns of meanwhile is not it
                    printed.append(content["text"])
            elif message["msg_type"] == "error":
                failed.append("\n".join(content["traceback"]))

        self.client.execute_interactive(
            code, store_history=False, timeout=timeout, output_hook=hear
        )
        if failed:
            raise AssertionError(f"in the kernel:\n{code}\n{failed[0]}")
        return "".join(printed)

    def ask(self, expression: str, timeout: float = 60):
        """Return the value of *expression*, a literal: numbers, text, lists, dicts."""
        return ast.literal_eval(self.run(f"print(ascii({expression}))", timeout))

    def close(self) -> None:
        """Let go of the kernel; it runs on."""
        self.client.stop_channels()
        self.client.context.destroy(linger=0)
