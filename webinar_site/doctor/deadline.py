"""How long looking may take altogether."""

import time


class Deadline:
    """So many seconds from now."""

    def __init__(self, seconds: float) -> None:
        self._at = time.monotonic() + seconds

    @property
    def left(self) -> float:
        """In seconds, never below nothing."""
        return max(self._at - time.monotonic(), 0)

    @property
    def is_over(self) -> bool:
        return self.left <= 0
