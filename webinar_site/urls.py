"""The site's public map."""

from django.conf import settings
from django.conf.urls.i18n import i18n_patterns
from django.contrib import admin
from django.urls import include, path
from django.views.static import serve

from events.admin.door import guard
from events.urls import neutral_urlpatterns
from webinar_site import health
from webinar_site.doctor.pages import page as doctor_page

handler404 = "events.views.errors.page_not_found"
handler429 = "registrations.views.account.too_many_requests"  # asked for by the sign-in pages (allauth)
guard(admin.site)

urlpatterns = [
    # For those who run the site; what it looks at, neither app knows.
    path("admin/doctor/", admin.site.admin_view(doctor_page), name="doctor"),
    path("admin/", admin.site.urls),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    *neutral_urlpatterns,
    # The address says the language: /ar/… is Arabic, and without one it is the site's own. So a page is the same for
    # everybody who has its address, and caches and search engines can tell the languages apart.
    *i18n_patterns(
        path("accounts/", include("allauth.urls")),
        path("", include("registrations.urls")),
        path("", include("events.urls")),
        prefix_default_language=False,
    ),
]

if settings.ANYMAIL.get("WEBHOOK_SECRET"):
    urlpatterns += [path("anymail/", include("anymail.urls"))]

if not settings.EMAIL_URL:
    # The trial setting alone: production cannot start without a mail server, so nobody's mail is ever shown there.
    urlpatterns += [path("mailbox/", include("registrations.mailbox_urls"))]

if not settings.PRODUCTION:
    # In production the web server in front does it (deploy/).
    urlpatterns += [path("media/<path:path>", serve, {"document_root": settings.MEDIA_ROOT})]
