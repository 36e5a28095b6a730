"""What the catalogue announces to whoever listens, inside the transaction that changed it.

`session_rescheduled`: sent with `session`, `previous` (a `PlannedTime`), `previous_title` (empty where the webinar is
called as before), `now` and `by`, when what a calendar shows of
a session changed. `session_cancelled`: sent with `session`, `now` and `by`. `places_added`: sent with `session` and
`now`, when there are more of them: it is new, its capacity was raised, or it takes place after all.
"""

from django.dispatch import Signal

session_rescheduled = Signal()
session_cancelled = Signal()
places_added = Signal()
