#include "text.h"
#include "sys.h"

void *memcpy(void *to, const void *from, size_t size) {
  char *target = to;
  const char *source = from;
  while (size--) *target++ = *source++;
  return to;
}

void *memset(void *to, int byte, size_t size) {
  char *target = to;
  while (size--) *target++ = (char)byte;
  return to;
}

int memcmp(const void *left, const void *right, size_t size) {
  const unsigned char *a = left, *b = right;
  for (; size--; a++, b++)
    if (*a != *b) return *a - *b;
  return 0;
}

size_t strlen(const char *text) {
  size_t length = 0;
  while (text[length]) length++;
  return length;
}

int strcmp(const char *left, const char *right) {
  while (*left && *left == *right) left++, right++;
  return (unsigned char)*left - (unsigned char)*right;
}

int starts_with(const char *text, const char *beginning) {
  while (*beginning)
    if (*text++ != *beginning++) return 0;
  return 1;
}

long parse_number(const char *text) {
  long value = 0;
  while (*text >= '0' && *text <= '9') value = value * 10 + (*text++ - '0');
  return value;
}

const char *environment_value(char **envp, const char *name) {
  size_t length = strlen(name);
  for (; *envp; envp++)
    if (starts_with(*envp, name) && (*envp)[length] == '=') return *envp + length + 1;
  return 0;
}

struct sink {
  char *to;
  size_t size, length;
};

static void put(struct sink *sink, char byte) {
  if (sink->length + 1 < sink->size) sink->to[sink->length++] = byte;
}

static void put_padded(struct sink *sink, const char *text, size_t length, int width, int left, char pad) {
  int missing = width - (int)length;
  for (; !left && missing > 0; missing--) put(sink, pad);
  for (size_t i = 0; i < length; i++) put(sink, text[i]);
  for (; missing > 0; missing--) put(sink, ' ');
}

/* Writes the digits backwards from the end of a 24-byte field and gives the first one. */
static char *digits(char *end, unsigned long value, unsigned base) {
  do *--end = "0123456789abcdef"[value % base];
  while (value /= base);
  return end;
}

static void put_number(struct sink *sink, unsigned long value, int negative, unsigned base, int width, int left, char pad) {
  char field[24], *end = field + sizeof field, *first = digits(end, value, base);
  if (negative) *--first = '-';
  put_padded(sink, first, (size_t)(end - first), width, left, pad);
}

size_t format_list(char *to, size_t size, const char *form, va_list arguments) {
  struct sink sink = {to, size, 0};
  for (; *form; form++) {
    if (*form != '%') {
      put(&sink, *form);
      continue;
    }
    int left = 0, width = 0, is_long = 0;
    char pad = ' ';
    form++;
    if (*form == '-') left = 1, form++;
    if (*form == '0') pad = '0', form++;
    while (*form >= '0' && *form <= '9') width = width * 10 + (*form++ - '0');
    while (*form == 'l') is_long = 1, form++;
    if (*form == 'd') {
      long value = is_long ? va_arg(arguments, long) : va_arg(arguments, int);
      put_number(&sink, value < 0 ? 0UL - (unsigned long)value : (unsigned long)value, value < 0, 10, width, left, pad);
    } else if (*form == 'u' || *form == 'x') {
      unsigned long value = is_long ? va_arg(arguments, unsigned long) : va_arg(arguments, unsigned);
      put_number(&sink, value, 0, *form == 'x' ? 16 : 10, width, left, pad);
    } else if (*form == 's') {
      const char *text = va_arg(arguments, const char *);
      put_padded(&sink, text, strlen(text), width, left, ' ');
    } else if (*form == 'c') {
      put(&sink, (char)va_arg(arguments, int));
    } else {
      put(&sink, *form);
    }
  }
  if (size) to[sink.length] = 0;
  return sink.length;
}

size_t format(char *to, size_t size, const char *form, ...) {
  va_list arguments;
  va_start(arguments, form);
  size_t length = format_list(to, size, form, arguments);
  va_end(arguments);
  return length;
}

void print(const char *form, ...) {
  char line[1024];
  va_list arguments;
  va_start(arguments, form);
  size_t length = format_list(line, sizeof line, form, arguments);
  va_end(arguments);
  for (size_t done = 0; done < length;) {
    long written = sys_write(1, line + done, length - done);
    if (written <= 0) return;
    done += (size_t)written;
  }
}

const char *errno_name(long number) {
  switch (number < 0 ? -number : number) {
    case EPERM: return "EPERM";
    case ENOENT: return "ENOENT";
    case ESRCH: return "ESRCH";
    case EINTR: return "EINTR";
    case EBADF: return "EBADF";
    case ECHILD: return "ECHILD";
    case E2BIG: return "E2BIG";
    case EAGAIN: return "EAGAIN";
    case ENOMEM: return "ENOMEM";
    case EFAULT: return "EFAULT";
    case EBUSY: return "EBUSY";
    case EEXIST: return "EEXIST";
    case EINVAL: return "EINVAL";
    case EMFILE: return "EMFILE";
    case ENOSPC: return "ENOSPC";
    case ENOSYS: return "ENOSYS";
    case ETIMEDOUT: return "ETIMEDOUT";
    default: return "?";
  }
}
