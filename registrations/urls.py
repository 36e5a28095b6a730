"""Landing pages with their form, one's own registration, and joining."""

from django.urls import path

from registrations.views import account, calendars, leaving, mine, own, registering, unsubscribing

urlpatterns = [
    path("webinars/<slug:slug>/", registering.webinar, name="webinar"),
    path("webinars/<slug:slug>/register/", registering.register, name="register"),
    path("webinars/<slug:slug>/registered/", registering.registered, name="registered"),
    # No token, since each has a dot.
    path("registrations/erased/", leaving.registration_erased, name="registration_erased"),
    path("registrations/<str:token>/", own.registration, name="registration"),
    path("registrations/<str:token>/prove/", own.registration_prove, name="registration_prove"),
    path("registrations/<str:token>/offer/", own.registration_offer, name="registration_offer"),
    path("registrations/<str:token>/keep/", own.registration_keep, name="registration_keep"),
    path("registrations/<str:token>/details/", own.registration_details, name="registration_details"),
    path("registrations/<str:token>/mail/", own.registration_mail_again, name="registration_mail_again"),
    path("registrations/<str:token>/address/", own.registration_address, name="registration_address"),
    path("registrations/<str:token>/data.json", leaving.registration_data, name="registration_data"),
    path("registrations/<str:token>/erase/", leaving.registration_erase, name="registration_erase"),
    path("registrations/<str:token>/cancel/", own.registration_cancel, name="registration_cancel"),
    path("registrations/<str:token>/session/", own.registration_session, name="registration_session"),
    path("registrations/<str:token>/survey/", own.registration_survey, name="registration_survey"),
    path("registrations/<str:token>/replay/", own.registration_replay, name="registration_replay"),
    path("registrations/<str:token>/calendar.ics", own.registration_calendar, name="registration_calendar"),
    path("unsubscribe/<str:token>/", unsubscribing.unsubscribe, name="unsubscribe"),
    path("join/<str:token>/", own.join, name="join"),
    path("my/", mine.my_webinars, name="my_webinars"),
    path("my/account/", account.my_account, name="my_account"),
    path("my/account/second-step/", account.second_step, name="second_step"),
    path("my/data.json", mine.my_data, name="my_data"),
    path("my/calendar/", calendars.my_calendar, name="my_calendar"),
    path("my/calendar/<str:token>.ics", calendars.calendar, name="own_calendar"),
    path("my/erase/", mine.my_erase, name="my_erase"),
]
