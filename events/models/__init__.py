"""The catalogue's tables, a file for each thing that an organizer would name."""

from events.models.addresses import FormerAddress
from events.models.findings import Finding
from events.models.hosts import Host, Membership
from events.models.mail_rules import MailRule
from events.models.offers import Offer, OfferCondition
from events.models.presenters import Affiliation, Appearance, Presenter
from events.models.questions import Question
from events.models.series import Partner, Series, SeriesPartnership, WebinarPartnership
from events.models.sessions import Session
from events.models.users import User
from events.models.webinars import DisplayZone, Invitee, Webinar

__all__ = [
    "Affiliation",
    "Appearance",
    "DisplayZone",
    "Finding",
    "FormerAddress",
    "Host",
    "Invitee",
    "MailRule",
    "Membership",
    "Offer",
    "OfferCondition",
    "Partner",
    "Presenter",
    "Question",
    "Series",
    "SeriesPartnership",
    "Session",
    "User",
    "Webinar",
    "WebinarPartnership",
]
