"""In which zone a host's times are told."""

from events.models import Host


def test_times_are_told_in_the_readers_zone_else_in_the_hosts_under_todays_name():
    host = Host(time_zone="Asia/Calcutta")

    assert host.shown_zone("Europe/Oslo") == "Europe/Oslo"
    assert host.shown_zone(None) == "Asia/Kolkata"
