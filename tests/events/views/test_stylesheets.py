"""The stylesheet of one accent colour."""

import pytest

pytestmark = pytest.mark.django_db


def test_theme_is_one_colour_and_never_changes(client):
    response = client.get("/theme/7a1f5c.css")

    assert response.content == b":root{--accent:#7a1f5c}\n"
    assert response["Content-Type"] == "text/css; charset=utf-8"
    assert response["Cache-Control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize("accent", ["7A1F5C", "7a1f5", "red", "7a1f5c0", "7a1f5c}body{display:none"])
def test_theme_of_anything_but_a_colour_is_not_found(client, accent):
    assert client.get(f"/theme/{accent}.css").status_code == 404
