"""The site's public map."""

from allauth.account.decorators import secure_admin_login
from django.conf import settings
from django.contrib import admin
from django.urls import include, path
from django.views.static import serve

from webinar_site import health

admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]

urlpatterns = [
    path("admin/", admin.site.urls),
    path("accounts/", include("allauth.urls")),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("", include("registrations.urls")),
    path("", include("events.urls")),
]

if not settings.EMAIL_URL:
    # The trial setting alone: production cannot start without a mail server, so nobody's mail is ever shown there.
    urlpatterns += [path("mailbox/", include("registrations.mailbox_urls"))]

if not settings.PRODUCTION:
    # In production the web server in front does it (deploy/).
    urlpatterns += [path("media/<path:path>", serve, {"document_root": settings.MEDIA_ROOT})]
