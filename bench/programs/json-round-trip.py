"""Nested records to JSON text and back."""

import json
import sys


def record(i):
    return {
        "id": i,
        "name": "record \u00e9 number %d" % i,
        "tags": ["a" * (i % 7), "b", None, True],
        "place": {"x": i / 3, "y": -i, "inside": [[i, i + 1], {"deep": i % 2 == 0}]},
    }


records = [record(i) for i in range(300)]
total = 0
for turn in range(int(sys.argv[1])):
    text = json.dumps(records, sort_keys=turn % 2 == 0, indent=2 if turn % 3 == 0 else None)
    records = json.loads(text)
    total += len(text)
print(total, records[-1])
