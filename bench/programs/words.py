"""Words counted, joined, split and sorted: dictionaries and strings."""

import sys


def text(count):
    seed, words = 1, []
    for _ in range(count):
        seed = (seed * 1103515245 + 12345) & 0x7FFFFFFF
        words.append("w%d" % (seed >> 20))
    return " ".join(words)


def count_words(line):
    counts = {}
    for word in line.split():
        word = word.upper()
        counts[word] = counts.get(word, 0) + 1
    return counts


line = text(int(sys.argv[1]))
counts = count_words(line)
by_length = {}
for word, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
    by_length.setdefault(len(word), []).append(f"{word}:{count}")
for length in sorted(by_length):
    print(length, len(by_length[length]), ",".join(by_length[length])[:70])
print(line.replace("w1", "v").title().count("V"), len(set(line)), line.find("w999 "))
