"""Wires the two apps: settings, addresses, the web server's and the worker's entry points."""

from webinar_site.celery import app as celery_app

__all__ = ["celery_app"]
