# Fields, associative arrays, regular expressions and numbers formatted: a report about a text.
{
  lines++
  for (i = 1; i <= NF; i++) {
    word = tolower($i)
    gsub(/[^a-z]/, "", word)
    if (word == "") continue
    counts[word]++
    total += length(word)
  }
  if ($0 ~ /(the|and) [a-m][a-z]*ing/) matches++
  sums[NR % 97] += NF * 1.5
}
END {
  for (word in counts) if (counts[word] > most || (counts[word] == most && word < common)) { most = counts[word]; common = word }
  for (i = 0; i < 97; i++) sum = sum * 1.0001 + sums[i]
  printf "%d lines, %d letters, %d words, %d matches, %s %d, %.6f\n", lines, total, length(counts), matches, common, most, sum
}
