"""The demonstration: two hosts, their webinars, their people. The trial setting only, unless production asks for it."""

DEMO_ORGANIZER_EMAIL = "organizer@example.org"
# The other host's, to see that organizers see their own host only. The password is the same.
DEMO_SECOND_ORGANIZER_EMAIL = "organizer@example.net"
DEMO_ORGANIZER_PASSWORD = "show-me-around"  # noqa: S105 - printed at each start, and good on this machine only
