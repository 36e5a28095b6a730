"""The mailbox of the trial setting. Never part of a site that sends real mail."""

from django.urls import path

from registrations import mailbox

urlpatterns = [
    path("", mailbox.mailbox, name="mailbox"),
    path("<str:name>/", mailbox.message, name="mailbox_message"),
    path("<str:name>/html/", mailbox.html_part, name="mailbox_html"),
    path("<str:name>/source/", mailbox.source, name="mailbox_source"),
    path("<str:name>/parts/<int:number>/", mailbox.attachment, name="mailbox_attachment"),
]
