"""What people do with the catalogue: register, get mail, earn codes."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RegistrationsConfig(AppConfig):
    name = "registrations"
    verbose_name = _("Registrations")

    def ready(self) -> None:
        """Connect the answers to what the catalogue announces."""
        from registrations import receivers  # noqa: F401, PLC0415 - Django has receivers connected here
