"""Model fields that clean what is put into them, whichever door it comes through."""

from typing import Any

from django.db import models

from events import validators


class SingleLineField(models.CharField):  # type: ignore[type-arg]
    """Text on one line, without control characters: titles and names end up in mail headers and calendars."""

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        return validators.single_line(text) if isinstance(text, str) else text

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:  # noqa: FBT001 - Django's signature
        return _cleaned(self, model_instance, validators.single_line)


class PlainTextField(models.TextField):  # type: ignore[type-arg]
    """Several lines of text without control characters."""

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:  # noqa: FBT001 - Django's signature
        return _cleaned(self, model_instance, validators.plain_text)


class RichTextField(models.TextField):  # type: ignore[type-arg]
    """HTML that was cleaned when it was saved, so that templates may print it as it is."""

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:  # noqa: FBT001 - Django's signature
        return _cleaned(self, model_instance, validators.rich_text)


class TimeZoneField(SingleLineField):
    """An IANA zone name, such as Asia/Tashkent."""

    default_validators = [validators.validate_time_zone]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 64)
        super().__init__(*args, **kwargs)


def _cleaned(field: models.Field, instance: models.Model, clean: Any) -> Any:  # type: ignore[type-arg]
    value = getattr(instance, field.attname)
    if isinstance(value, str):
        value = clean(value)
        setattr(instance, field.attname, value)
    return value
