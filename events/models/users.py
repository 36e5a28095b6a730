"""The people who sign in: organizers, and attendees who want to see all their webinars. The address is the name."""

from typing import Any, ClassVar, Self

from django.contrib.auth.models import AbstractUser, UserManager
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _


class EmailUserManager(UserManager["User"]):
    """Makes users whose address is their name."""

    def create_user(  # type: ignore[override]
        self, email: str, password: str | None = None, **fields: Any
    ) -> "User":
        user = self.model(email=self.normalize_email(email), **fields)
        user.set_password(password)  # None makes it unusable: signing in goes by a code
        user.save(using=self._db)
        return user

    def create_superuser(  # type: ignore[override]
        self, email: str, password: str | None = None, **fields: Any
    ) -> "User":
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> "User":
        user = self.model.for_address(username or "")
        if user is None:
            raise self.model.DoesNotExist
        return user


class User(AbstractUser):
    """Somebody who signs in with an address."""

    username = None  # type: ignore[assignment]
    email = models.EmailField(_("email"), max_length=254)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects: ClassVar[EmailUserManager] = EmailUserManager()

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        constraints = [
            models.UniqueConstraint(
                Lower("email"),
                name="user_email_unique",
                violation_error_message=_("There is a user with this address already."),
            )
        ]

    def __str__(self) -> str:
        return self.email

    @classmethod
    def for_address(cls, email: str) -> Self | None:
        """The user of that address in whatever letter case, or None."""
        # As the unique index has it, lowered by the database on both sides: `iexact` would read every row.
        rows = cls.objects.alias(address=Lower("email")).filter(address=Lower(models.Value(email)))
        # Databases fold letters that no mail server does (İ is i to one, and the capital of ı is I): whoever owned
        # gmaİl.com would be taken for somebody at gmail.com.
        return next((user for user in rows if user.email.lower() == email.lower()), None)  # type: ignore[return-value]
