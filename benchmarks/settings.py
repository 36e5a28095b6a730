"""The site's own settings, with one more address: the bare view that pages are measured against."""

import os
from pathlib import Path

from webinar_site.settings import *  # noqa: F403 - these are those settings

ROOT_URLCONF = "benchmarks.urls"
STATIC_ROOT = Path(os.environ["BENCHMARK_FOLDER"]) / "static"
