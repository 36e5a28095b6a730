"""Pages that only show, in every language, and what programs read."""

from django.urls import path, re_path, register_converter
from django.views.generic import RedirectView

from events.views import crawlers, embeds, entrance, feeds, lists, stylesheets, webinars


class AccentConverter:
    """Six hexadecimal digits, as hosts store their colour."""

    regex = "[0-9a-f]{6}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


class DigestConverter(AccentConverter):
    """What stands in the address of a picture for what is on it."""

    regex = "[0-9a-f]{16}"


register_converter(AccentConverter, "accent")
register_converter(DigestConverter, "digest")

# With the language in front, unless it is the site's own: /ar/hosts/…/
urlpatterns = [
    path("", lists.home, name="home"),
    path("feed.atom", feeds.feed, name="feed"),
    # Addresses that somebody cut: what is below them is all in the list.
    re_path("^(?:webinars|series|hosts|presenters)/$", RedirectView.as_view(pattern_name="home", permanent=True)),
    path("series/<slug:slug>/", lists.series, name="series"),
    path("series/<slug:slug>/calendar.ics", feeds.series_calendar, name="series_calendar"),
    path("hosts/<slug:slug>/", lists.host, name="host"),
    path("hosts/<slug:slug>/calendar.ics", feeds.host_calendar, name="host_calendar"),
    path("hosts/<slug:slug>/feed.atom", feeds.host_feed, name="host_feed"),
    path("presenters/<slug:slug>/", lists.presenter, name="presenter"),
    path("webinars/<slug:slug>/calendar.ics", feeds.webinar_calendar, name="webinar_calendar"),
    path("webinars/<slug:slug>/feed.ics", feeds.webinar_feed, name="webinar_feed"),
    path("webinars/<slug:slug>/embed/", embeds.webinar_embed, name="webinar_embed"),
    path("webinars/<slug:slug>/replay/", webinars.replay, name="webinar_replay"),
    path("webinars/<slug:slug>/programme/", webinars.programme, name="webinar_programme"),
    path("webinars/<slug:slug>/password/", entrance.webinar_password, name="webinar_password"),
]

# The same for every language.
neutral_urlpatterns = [
    path("theme/<accent:accent>.css", stylesheets.theme, name="theme"),
    path("webinars/<slug:slug>/card-<digest:digest>.png", embeds.webinar_card, name="webinar_card"),
    path("oembed", embeds.oembed, name="oembed"),
    path("sitemap.xml", crawlers.index, name="sitemap"),
    path("sitemap-<slug:name>-<int:number>.xml", crawlers.section, name="sitemap_section"),
    path("robots.txt", crawlers.robots, name="robots"),
]
