/* What section F says of clone2 and is true of clone() and clone3 as well. */
#define THROUGH_CLONE3
#include "../clone2/f-order-and-races.c"
