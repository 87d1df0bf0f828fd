/* Looking at tasks through /proc. */
#ifndef GUEST_PROC_H
#define GUEST_PROC_H

#include <stddef.h>

/* Reads a whole small file into `to`, terminated; gives the length or a negative errno. */
long read_file(const char *path, char *to, size_t size);
/* The pids of a task in every pid namespace, outermost first: the NSpid line of /proc/WHO/status, where WHO is a pid or
 * "self". Gives how many there are, 0 when there is no such line, or a negative errno. */
long read_nspid(const char *who, int pids[], int capacity);

#endif
