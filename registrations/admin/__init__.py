"""The organizers' pages of what people do, a file for each thing that an organizer would name.

Nothing here is added or edited by hand. The catalogue's own pages come last, with what only this floor knows.
"""

from registrations.admin import catalogue, mailings, messages, offer_codes, registrations

__all__ = ["catalogue", "mailings", "messages", "offer_codes", "registrations"]
