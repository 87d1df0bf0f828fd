#include "proc.h"
#include "sys.h"
#include "text.h"

long read_file(const char *path, char *to, size_t size) {
  long fd = sys_open(path, O_RDONLY, 0);
  if (fd < 0) return fd;
  size_t length = 0;
  while (length + 1 < size) {
    long got = sys_read((int)fd, to + length, size - 1 - length);
    if (got <= 0) break;
    length += (size_t)got;
  }
  to[length] = 0;
  sys_close((int)fd);
  return (long)length;
}

long read_nspid(const char *who, int pids[], int capacity) {
  char path[64], text[4096];
  format(path, sizeof path, "/proc/%s/status", who);
  long length = read_file(path, text, sizeof text);
  if (length < 0) return length;
  const char *line = text;
  while (*line && !starts_with(line, "NSpid:")) {
    while (*line && *line != '\n') line++;
    if (*line) line++;
  }
  if (!*line) return 0;
  int count = 0;
  for (line += 6; *line && *line != '\n';) {
    if (*line < '0' || *line > '9') {
      line++;
      continue;
    }
    if (count < capacity) pids[count++] = (int)parse_number(line);
    while (*line >= '0' && *line <= '9') line++;
  }
  return count;
}
