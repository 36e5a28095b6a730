"""What the search reads on PostgreSQL: in each table that it looks into, a column with the words of the others.

The columns are generated, so nothing that anybody writes, in whatever way, can leave them behind; models do not know
them. SQLite searches without. The function names only what PostgreSQL itself brings, so that a dump can be read back.
A later migration that changes the type of a text named below drops the column of its words first and makes it anew.
"""

from django.db import migrations

DICTIONARIES = {
    "ar": "arabic",
    "ca": "catalan",
    "da": "danish",
    "de": "german",
    "el": "greek",
    "en": "english",
    "es": "spanish",
    "eu": "basque",
    "fi": "finnish",
    "fr": "french",
    "ga": "irish",
    "hi": "hindi",
    "hu": "hungarian",
    "hy": "armenian",
    "id": "indonesian",
    "it": "italian",
    "lt": "lithuanian",
    "nb": "norwegian",
    "ne": "nepali",
    "nl": "dutch",
    "nn": "norwegian",
    "no": "norwegian",
    "pt": "portuguese",
    "ro": "romanian",
    "ru": "russian",
    "sr": "serbian",
    "sv": "swedish",
    "ta": "tamil",
    "tr": "turkish",
    "yi": "yiddish",
}

# Every word as it is written, without accents and in small letters, which finds names; and beside it the stems that the
# language's dictionary makes. events/search.py folds what people type in the same way.
VECTOR = r"""
CREATE FUNCTION events_search_vector(language text, content text) RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $function$
SELECT to_tsvector(
    'simple',
    regexp_replace(
        regexp_replace(
            translate(
                lower(normalize(regexp_replace(content, '<[^>]*>|&[a-z]+;', ' ', 'g'), NFKD)),
                'łøđħŧı',
                'lodhti'
            ),
            '[\u0300-\u036f\u0640\u064b-\u065f\u0670]', '', 'g'
        ),
        '[!-/:-@\[-`{-~\u00a0-\u00bf\u2000-\u206f]', ' ', 'g'
    )
) || CASE split_part(language, '-', 1)
%(stems)s
    ELSE ''::tsvector
END
$function$
""" % {
    "stems": "\n".join(
        f"    WHEN '{code}' THEN to_tsvector('{name}', regexp_replace(content, '<[^>]*>', ' ', 'g'))"
        for code, name in DICTIONARIES.items()
    )
}

# For each table its columns of words; for each of them the texts with their weights, and where their language stands.
# A webinar's long text has a column of its own: it is many pages, and must not be read to weigh a word in a title.
SEARCHED = {
    "webinar": ("language", {"words": {"title": "A", "official_title": "B", "summary": "C"}, "text_words": {"about": "D"}}),
    "series": ("''", {"words": {"title": "A"}}),
    "host": ("''", {"words": {"name": "A"}}),
    "presenter": ("''", {"words": {"name": "A"}}),
    "affiliation": ("''", {"words": {"job_title": "A", "organization": "A"}}),
    "partner": ("''", {"words": {"name": "A", "parent": "A"}}),
}


def prepare(apps, schema_editor):
    if schema_editor.connection.vendor != "postgresql":
        return
    schema_editor.execute(VECTOR)
    for table, (language, columns) in SEARCHED.items():
        for column, texts in columns.items():
            vector = " || ".join(
                f"setweight(events_search_vector({language}, {text}), '{weight}')" for text, weight in texts.items()
            )
            schema_editor.execute(
                f"ALTER TABLE events_{table} ADD COLUMN {column} tsvector GENERATED ALWAYS AS ({vector}) STORED"
            )
            schema_editor.execute(f"CREATE INDEX {table}_by_{column} ON events_{table} USING gin ({column})")


def undo(apps, schema_editor):
    if schema_editor.connection.vendor != "postgresql":
        return
    for table, (_language, columns) in SEARCHED.items():
        for column in columns:
            schema_editor.execute(f"ALTER TABLE events_{table} DROP COLUMN {column}")
    schema_editor.execute("DROP FUNCTION events_search_vector")


class Migration(migrations.Migration):

    dependencies = [
        ("events", "0002_public_site"),
    ]

    operations = [
        migrations.RunPython(prepare, undo),
    ]
