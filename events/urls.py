"""Pages that only show, and what programs read."""

from django.contrib.sitemaps.views import sitemap
from django.urls import path, register_converter

from events import feeds, views
from events.sitemaps import SITEMAPS


class AccentConverter:
    """Six hexadecimal digits, as hosts store their colour."""

    regex = "[0-9a-f]{6}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(AccentConverter, "accent")

urlpatterns = [
    path("", views.home, name="home"),
    path("series/<slug:slug>/", views.series, name="series"),
    path("hosts/<slug:slug>/", views.host, name="host"),
    path("hosts/<slug:slug>/calendar.ics", feeds.host_calendar, name="host_calendar"),
    path("presenters/<slug:slug>/", views.presenter, name="presenter"),
    path("webinars/<slug:slug>/calendar.ics", feeds.webinar_calendar, name="webinar_calendar"),
    path("theme/<accent:accent>.css", views.theme, name="theme"),
    path("sitemap.xml", sitemap, {"sitemaps": SITEMAPS}, name="sitemap"),
    path("robots.txt", views.robots, name="robots"),
]
