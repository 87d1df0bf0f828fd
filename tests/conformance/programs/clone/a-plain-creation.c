/* What section A says of clone2 and is true of clone() as well. */
#define THROUGH_CLONE3
#include "../clone2/a-plain-creation.c"
