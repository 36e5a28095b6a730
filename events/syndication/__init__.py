"""What others show and read of a webinar: search engines, networks, partners."""
