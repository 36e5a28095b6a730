"""Pages for people who come: landing and registering, their own registration, joining, and all their webinars."""
