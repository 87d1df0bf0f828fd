/** A C program of 2,000 lines for the compiler to chew on: structures, loops, switches, floats, strings and pointers. */

const FUNCTIONS = 80;

const KINDS = [
  (name, a, b) => `
unsigned ${name}(unsigned seed) {
  unsigned values[${8 + a}], sum = seed;
  for (int i = 0; i < ${8 + a}; i++)
    values[i] = sum = sum * ${2 * b + 1}u + ${a}u;
  for (int i = 1; i < ${8 + a}; i++) {
    unsigned value = values[i];
    int at = i;
    while (at > 0 && values[at - 1] > value) {
      values[at] = values[at - 1];
      at--;
    }
    values[at] = value;
  }
  for (int i = 0; i < ${8 + a}; i++) {
    if (values[i] % ${a + 2} == 0)
      sum ^= values[i] << (i % 7);
    else if (values[i] & ${b})
      sum += values[i] >> 3;
    else
      sum -= values[i] / ${a + 3};
  }
  return sum;
}
`,
  (name, a, b) => `
unsigned ${name}(unsigned seed) {
  struct node nodes[${6 + (a % 9)}], *head = 0;
  for (int i = 0; i < ${6 + (a % 9)}; i++) {
    nodes[i].key = (int)(seed * ${b}u % 1000u);
    nodes[i].weight = (double)(seed % ${a + 5}u) / ${b}.0;
    nodes[i].next = head;
    head = &nodes[i];
    seed = seed * 1664525u + 1013904223u;
  }
  double total = 0;
  int largest = -1;
  for (struct node *node = head; node; node = node->next) {
    total += node->weight * ${a}.5 - node->key;
    if (node->key > largest && (node->key ^ ${b}) % 3 != 1)
      largest = node->key;
    if (node->next && node->next->key == node->key)
      total = total < 0 ? -total : total / 2;
  }
  nodes[0].next = head == nodes ? 0 : head->next;
  return (unsigned)(long)(total * ${b}) + (unsigned)largest;
}
`,
  (name, a, b) => `
unsigned ${name}(unsigned seed) {
  char text[${32 + a}];
  unsigned length = 0, state = 0, result = ${b};
  while (length < sizeof text - 1) {
    text[length++] = (char)('a' + seed % 26);
    seed = seed * 69069u + ${b}u;
  }
  text[length] = 0;
  for (const char *at = text; *at; at++) {
    switch (*at) {
      case 'a': case 'e': case 'i': case 'o': case 'u':
        state = state * 2 + 1;
        break;
      case '${String.fromCharCode(98 + (a % 3))}':
        state ^= ${a};
        break;
      case 'x': result = result * 33 + state; state = 0; break;
      case 'y': result ^= result >> ${1 + (b % 13)}; break;
      case 'z': if (state > ${b}) return result; break;
      default:
        state = (state + (unsigned char)*at) % ${b + 1};
    }
  }
  return result ^ (unsigned)strlen(text) ^ state;
}
`,
  (name, a, b) => `
unsigned ${name}(unsigned seed) {
  static double table[${4 + (a % 5)}][${4 + (b % 5)}];
  double trace = 0;
  for (int i = 0; i < ${4 + (a % 5)}; i++)
    for (int j = 0; j < ${4 + (b % 5)}; j++)
      table[i][j] = (i * ${a} + j * ${b}) % 17 + seed % 5;
  for (int step = 0; step < ${2 + (a % 4)}; step++)
    for (int i = 1; i < ${4 + (a % 5)}; i++)
      for (int j = 1; j < ${4 + (b % 5)}; j++)
        table[i][j] = (table[i - 1][j] + table[i][j - 1] + 2 * table[i][j]) / 4;
  for (int i = 0; i < ${4 + (a % 5)}; i++)
    trace += table[i][i % ${4 + (b % 5)}];
  union {
    double number;
    unsigned long bits;
  } both = {trace};
  unsigned short parts[4];
  memcpy(parts, &both.bits, sizeof parts);
  unsigned result = seed;
  for (int i = 0; i < 4; i++)
    result = (result << 5 | result >> 27) ^ parts[i];
  return result;
}
`,
];

const HEADER = `/* Written by bench/cpu/c-source.mjs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct node {
  int key;
  double weight;
  struct node *next;
};
`;

/** @param random gives a number below its argument */
export function programSource(random) {
  const names = Array.from({ length: FUNCTIONS }, (_, i) => `step_${i}`);
  const functions = names.map((name, i) => KINDS[i % KINDS.length](name, 3 + random(40), 2 + random(90)));
  const calls = names.map(
    (name, i) => `    sum = sum * 31 + ${name}(sum + ${random(1000)}u * (unsigned)turn + ${i}u);`,
  );
  const main = [
    "",
    "int main(int argc, char **argv) {",
    "  unsigned sum = argc > 1 ? (unsigned)atoi(argv[1]) : 1;",
    "  for (int turn = 0; turn < 100; turn++) {",
    ...calls,
    "  }",
    '  printf("%u\\n", sum);',
    "  return 0;",
    "}",
    "",
  ];
  return HEADER + functions.join("") + main.join("\n");
}
