"""Model fields that clean what is put into them, whichever door it comes through."""

from pathlib import PurePath
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.db import models
from django.utils.translation import gettext as _

from events import pictures, validators


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

    def formfield(self, **kwargs: Any) -> Any:
        return super().formfield(**{"form_class": PlainTextInput, **kwargs})


class SingleLineInput(forms.CharField):
    """Text on one line: what was pasted loses line breaks, control and direction marks."""

    def to_python(self, value: Any) -> str:
        return validators.single_line(str(value or ""))


class PlainTextInput(forms.CharField):
    """Takes several lines as they are stored: browsers end them in another way, which is no change."""

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        return validators.plain_text(text) if isinstance(text, str) else text


class RichTextField(models.TextField):  # type: ignore[type-arg]
    """HTML that was cleaned when it was saved, so that templates may print it as it is."""

    default_validators = [validators.validate_rich_text]

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:  # noqa: FBT001 - Django's signature
        return _cleaned(self, model_instance, validators.rich_text)


class WebAddressField(models.URLField):  # type: ignore[type-arg]
    """A link for people to follow. Django's own field takes ftp as well, which no browser opens."""

    default_validators = [validators.validate_web_address]

    def formfield(self, **kwargs: Any) -> Any:
        return super().formfield(**{"form_class": WebAddressInput, **kwargs})


class WebAddressInput(forms.URLField):
    """Takes a web address; https is what is meant where nothing is said."""

    default_validators = [validators.validate_web_address]

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"assume_scheme": "https", **kwargs})


class PictureField(models.ImageField):
    """A picture to show on pages: checked when it is uploaded, and stored as WebP no larger than `box`."""

    def __init__(self, *args: Any, box: tuple[int, int] = pictures.WIDE, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.box = box

    def validate(self, value: Any, model_instance: Any) -> None:
        super().validate(value, model_instance)
        # What is stored was checked when it came, and its file may be elsewhere by now.
        if value and not value._committed:
            validators.validate_picture(value)
            try:
                value.as_webp = pictures.as_webp(value, box=self.box)
            except (OSError, ValueError, SyntaxError) as error:
                raise ValidationError(
                    _("The picture is damaged: it ends too early."), code="picture_damaged"
                ) from error

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:  # noqa: FBT001 - Django's signature
        file = getattr(model_instance, self.attname)
        if file and not file._committed:
            # Made when it was checked; making it takes longest of all.
            webp = getattr(file, "as_webp", None) or pictures.as_webp(file, box=self.box)
            file.save(str(PurePath(file.name).with_suffix(".webp")), ContentFile(webp), save=False)
        return super().pre_save(model_instance, add)

    def formfield(self, **kwargs: Any) -> Any:
        return super().formfield(**{"form_class": PictureInput, **kwargs})


class PictureInput(forms.ImageField):
    """Takes a picture. Django's own field lets Pillow try everything that it knows, and names that to people."""

    default_validators = []

    def to_python(self, data: Any) -> Any:
        if data not in self.empty_values:
            validators.validate_picture(data)
        return super().to_python(data)

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        attrs: dict[str, Any] = super().widget_attrs(widget)
        return attrs | {"accept": "image/png,image/jpeg,image/webp,image/gif"} if "accept" in attrs else attrs


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
