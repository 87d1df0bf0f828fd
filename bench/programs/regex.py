"""Log lines taken apart by regular expressions."""

import re
import sys

LINE = re.compile(r"(?P<host>\d{1,3}(?:\.\d{1,3}){3}) - \[(?P<day>\d+)/(?P<month>\w{3})\] \"(GET|POST) (?P<path>[^\" ]+)\"")
NUMBER = re.compile(r"\b\d+\b")
VOWELS = re.compile(r"[aeiou]+", re.IGNORECASE)

months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun"]
lines = [
    '10.%d.%d.7 - [%d/%s] "%s /pages/item%d.html" and some text after it'
    % (i % 256, i * 7 % 256, i % 28 + 1, months[i % 6], "GET" if i % 3 else "POST", i)
    for i in range(2000)
]
hosts, numbers, vowels = {}, 0, 0
for _ in range(int(sys.argv[1])):
    for line in lines:
        found = LINE.match(line)
        hosts[found["host"]] = hosts.get(found["host"], 0) + len(found["path"])
        numbers += len(NUMBER.findall(line))
        vowels += len(VOWELS.sub("*", line))
print(len(hosts), sum(hosts.values()), numbers, vowels)
