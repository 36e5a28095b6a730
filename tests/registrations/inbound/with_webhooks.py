"""The addresses of a site that a mail provider hands mail on to; in the trial setting there are none."""

from django.urls import include, path

from webinar_site import urls

handler404, handler429 = urls.handler404, urls.handler429
urlpatterns = [path("anymail/", include("anymail.urls")), *urls.urlpatterns]
