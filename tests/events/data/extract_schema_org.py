"""Makes schema_org.json anew from the typings that the npm package schema-dts makes of the schema.org vocabulary.

npm pack schema-dts@2.1.0 && tar xzf schema-dts-2.1.0.tgz
python tests/events/data/extract_schema_org.py package/dist/schema.d.ts > tests/events/data/schema_org.json
"""

import json
import re
import sys
from pathlib import Path
from typing import Any

SOURCE = "schema-dts 2.1.0 (npm), dist/schema.d.ts"
LICENCE = "schema-dts: Apache-2.0, Google LLC; the vocabulary: CC BY-SA 3.0, schema.org"
# What our pages use, and what they might. Ranges name further types, which need no properties here.
TYPES = ("EducationEvent", "EventSeries", "VirtualLocation", "Organization", "Person", "Offer", "VideoObject")
ENUMERATIONS = ("EventStatusType", "EventAttendanceModeEnumeration", "ItemAvailability")

INTERFACE = re.compile(r"^(?:export )?interface (\w+)(?: extends ([^{]+))? \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
PROPERTY = re.compile(r'^    "(\w+)"\?: SchemaValue<([^,]+), ', re.MULTILINE)
UNION = re.compile(r"^export type (\w+) = ([^;]+);", re.MULTILINE)


def main(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    interfaces = {name: (parents or "", body) for name, parents, body in INTERFACE.findall(text)}
    unions = dict(UNION.findall(text))
    vocabulary = {
        "source": SOURCE,
        "licence": LICENCE,
        "types": {name: properties_of(f"{name}Leaf", interfaces) for name in TYPES},
        "kinds_of": {name: kinds_of(name, unions) for name in ("Event", "CreativeWork", "Thing")},
        "enumerations": {
            name: sorted(set(re.findall(r'"https://schema\.org/(\w+)"', unions[name]))) for name in ENUMERATIONS
        },
    }
    sys.stdout.write(json.dumps(vocabulary, indent=1, sort_keys=True) + "\n")


def properties_of(name: str, interfaces: dict[str, tuple[str, str]]) -> dict[str, list[str]]:
    """Each property that the type may have, its own and inherited, with the types of its values."""
    parents, body = interfaces.get(name, ("", ""))
    found: dict[str, list[str]] = {}
    for parent in re.findall(r"\w+Base", parents):
        found |= properties_of(parent, interfaces)
    for property_name, values in PROPERTY.findall(body):
        found[property_name] = [value for value in values.split(" | ") if value != "IdReference"]
    return found


def kinds_of(name: str, unions: dict[str, str]) -> list[str]:
    """Those of TYPES that are a kind of that type, however far below."""
    below: set[str] = set()
    waiting: list[Any] = [name]
    while waiting:
        for kind in re.findall(r"\b[A-Z]\w+\b", unions.get(waiting.pop(), "")):
            if kind not in below:
                below.add(kind)
                waiting.append(kind)
    return sorted(kind for kind in TYPES if kind in below)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
