/* What section B says of clone2 and is true of clone3 with set_tid as well (a taken pid is EEXIST there). */
#define THROUGH_CLONE3
#include "../clone2/b-choosing-one-pid.c"
