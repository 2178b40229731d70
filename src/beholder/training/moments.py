"""Moments of a run: something is told, an epoch begins, the user wants it to stop."""

import signal
from collections.abc import Callable, Mapping
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState

from beholder.training.batches import Rows


class Moments(TrainerCallback):
    """Tells how far it is, tells the order which epoch it is, and stops when asked to."""

    def __init__(self, rows: Rows, tell: Callable[[Mapping[str, Any]], None]) -> None:
        self._rows = rows
        self._tell = tell
        self.stop = False

    def on_epoch_begin(self, *given: Any, **_: Any) -> None:
        """Tell the order which epoch begins."""
        state: TrainerState = given[1]
        self._rows.set_epoch(int((state.epoch or 0.0) + 1e-6))

    def on_step_end(self, *given: Any, **_: Any) -> None:
        """Tell how far it is; save and stop when the user asked to."""
        state: TrainerState = given[1]
        control: TrainerControl = given[2]
        if state.is_world_process_zero:
            self._tell({"step": float(state.global_step), "steps": float(state.max_steps)})
        if self.stop:
            control.should_save = control.should_training_stop = True

    def on_log(self, *given: Any, **_: Any) -> None:
        """Pass a line of the history on."""
        state: TrainerState = given[1]
        if state.is_world_process_zero:
            self._tell(state.log_history[-1])


class Stopping:
    """While it is entered, Ctrl-C and SIGTERM end the run after the step, with a checkpoint.

    A second Ctrl-C ends it at once.
    """

    def __init__(self, moments: Moments) -> None:
        self._moments = moments
        self._before: dict[int, Any] = {}

    def __enter__(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            try:
                self._before[number] = signal.signal(number, self._ask)
            except ValueError:  # signals reach the main thread alone
                return

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _ask(self, *_: Any) -> None:
        if self._moments.stop:
            raise KeyboardInterrupt
        self._moments.stop = True
