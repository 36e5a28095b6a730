"""Pages that only show, a file for each kind; what carries a form belongs to `registrations`."""
