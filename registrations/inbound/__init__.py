"""Mail that comes in: answers of calendars, and mails of ours that came back.

`reading` bounds and opens a mail; `replies` and `bounces` say what stands in it, `authentication` what our mail server
thinks of it, all of it without the database; `receiving` acts. `tracking` takes what a mail provider tells without a
mail. The doors are the command `receive_mail`, `imap`, and the webhooks that receivers answer.
"""

from registrations.inbound.reading import MAX_BYTES
from registrations.inbound.receiving import Outcome, Result, receive, receive_parsed
from registrations.inbound.tracking import note as note_event

__all__ = ["MAX_BYTES", "Outcome", "Result", "note_event", "receive", "receive_parsed"]
