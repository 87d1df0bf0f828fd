/* Bytes and strings: what the compiler itself may call (memcpy, memset, memcmp) and what our programs need. */
#ifndef GUEST_TEXT_H
#define GUEST_TEXT_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

void *memcpy(void *to, const void *from, size_t size);
void *memset(void *to, int byte, size_t size);
int memcmp(const void *left, const void *right, size_t size);
size_t strlen(const char *text);
int strcmp(const char *left, const char *right);
int starts_with(const char *text, const char *beginning);
/* Reads decimal digits; anything else ends the number. */
long parse_number(const char *text);
/* The value of NAME in the environment, or 0. */
const char *environment_value(char **envp, const char *name);

/* Formats into `to` (always terminated, at most `size` bytes) and gives the length. Knows %d (int), %ld (long), %lu,
 * %x and %lx, %s, %c, %%, and a width with an optional '-' for the left side: "%-12s", "%6d". */
size_t format_list(char *to, size_t size, const char *form, va_list arguments);
size_t format(char *to, size_t size, const char *form, ...) __attribute__((format(printf, 3, 4)));
/* Formats to standard output in one write(), so that lines of several processes do not mix. */
void print(const char *form, ...) __attribute__((format(printf, 1, 2)));
/* EBUSY for 16, and so on, for the errno values in linux.h; "?" for others. */
const char *errno_name(long number);

#endif
