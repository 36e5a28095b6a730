"""The entry point for the web server."""

import gc
import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webinar_site.settings")

application = get_wsgi_application()

# What is loaded by now stays as long as the process. Taken out of the search for garbage, which would go through all of
# it again and again, it costs no page a millisecond or two. With the addresses come the views and their modules.
get_resolver().url_patterns  # noqa: B018 - read, it is loaded
gc.collect()
gc.freeze()
