"""Emptying sheets into the database while somebody fills them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

from models.demo import beside
from models.demo.bulk import Writer
from models.demo.running import Numbers

Echo = Callable[[str], Any]


def pour(steps: Iterator[None], writer: Writer, running: Numbers, amount: int, what: str, echo: Echo) -> None:
    """Write what the steps leave in the writer's sheets; ``amount`` rows of the first sheet are expected, of
    which ``what`` says what they are. A large load is thought up in a second process."""
    if writer.large:
        _beside(steps, writer, running, amount, what, echo)
        return
    for _ in steps:
        if writer.full():
            writer.write(writer.collect())
    writer.write(writer.collect())


def _beside(
    steps: Iterator[None], writer: Writer, running: Numbers, amount: int, what: str, echo: Echo
) -> None:
    """Write the rows a second process makes; keys and numbers go on from where that one stopped."""

    def work(send: beside.Send) -> None:
        for _ in steps:
            if writer.full():
                send(writer.collect())
        send(writer.collect())
        send(({n: sheet.next_id for n, sheet in enumerate(writer.sheets)}, dict(running.last)))

    done, tick = 0, max(100_000, amount // 10)
    with closing(beside.stream(work)) as stream:
        for found in stream:
            if isinstance(found, tuple):
                keys, last = found
                for n, sheet in enumerate(writer.sheets):
                    sheet.next_id = keys[n]
                running.last.update(last)
                continue
            writer.write(found)
            before, done = done, done + len(found[0])
            if done // tick > before // tick:
                echo(f"已写入 {done} {what}")
