"""Landing pages with their form, one's own registration, and joining."""

from django.urls import path

from registrations.views import mine, own, registering

urlpatterns = [
    path("webinars/<slug:slug>/", registering.webinar, name="webinar"),
    path("webinars/<slug:slug>/register/", registering.register, name="register"),
    path("webinars/<slug:slug>/registered/", registering.registered, name="registered"),
    path("registrations/<str:token>/", own.registration, name="registration"),
    path("registrations/<str:token>/cancel/", own.registration_cancel, name="registration_cancel"),
    path("registrations/<str:token>/session/", own.registration_session, name="registration_session"),
    path("registrations/<str:token>/survey/", own.registration_survey, name="registration_survey"),
    path("registrations/<str:token>/replay/", own.registration_replay, name="registration_replay"),
    path("registrations/<str:token>/calendar.ics", own.registration_calendar, name="registration_calendar"),
    path("join/<str:token>/", own.join, name="join"),
    path("my/", mine.my_webinars, name="my_webinars"),
]
