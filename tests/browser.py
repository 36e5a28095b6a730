"""The real browser: which one, and how the database stands beside it."""

import os
import shutil
from typing import Any

import pytest


@pytest.fixture(scope="session")
def orm_beside_a_loop() -> None:
    """Playwright keeps an event loop in this thread until the session ends; Django refuses to work beside one."""
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if not chromium:
        pytest.fail("This test needs Chromium. scripts/test finds or installs one, or CHROMIUM names it.")
    return {
        **browser_type_launch_args,
        "executable_path": chromium,
        "args": ["--disable-dev-shm-usage"],
    }
