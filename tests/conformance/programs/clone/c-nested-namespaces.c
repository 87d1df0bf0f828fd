/* What section C says of clone2 and is true of clone() and clone3 with set_tid as well. */
#define THROUGH_CLONE3
#include "../clone2/c-nested-namespaces.c"
