# The smallest guest: two system calls and nothing else. It is also the start-up benchmark, because all the time it takes is
# the time the machine needs to load a program and to end it.

.include "guest.inc"

    .globl _start
    .text
_start:
    print   "Hello from ring 3.\n"
    exit    0
