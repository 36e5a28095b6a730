"""Mail that comes in: answers of calendars, and mails of ours that came back.

`reading` bounds and opens a mail; `replies` and `bounces` say what stands in it, `authentication` what our mail server
thinks of it, all of it without the database; `receiving` acts. The doors are the command `receive_mail`, `imap`, and
the webhooks that a receiver answers.
"""

from registrations.inbound.reading import MAX_BYTES
from registrations.inbound.receiving import Outcome, Result, receive, receive_parsed

__all__ = ["MAX_BYTES", "Outcome", "Result", "receive", "receive_parsed"]
