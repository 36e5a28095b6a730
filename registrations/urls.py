"""Landing pages with their form, one's own registration, and joining."""

from django.urls import path

from registrations import views

urlpatterns = [
    path("webinars/<slug:slug>/", views.webinar, name="webinar"),
    path("webinars/<slug:slug>/register/", views.register, name="register"),
    path("webinars/<slug:slug>/registered/", views.registered, name="registered"),
    path("registrations/<str:token>/", views.registration, name="registration"),
    path("registrations/<str:token>/cancel/", views.registration_cancel, name="registration_cancel"),
    path("registrations/<str:token>/session/", views.registration_session, name="registration_session"),
    path("registrations/<str:token>/survey/", views.registration_survey, name="registration_survey"),
    path("registrations/<str:token>/replay/", views.registration_replay, name="registration_replay"),
    path("registrations/<str:token>/calendar.ics", views.registration_calendar, name="registration_calendar"),
    path("join/<str:token>/", views.join, name="join"),
    path("my/", views.my_webinars, name="my_webinars"),
]
