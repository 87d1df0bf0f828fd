/* Section G, the restart of a tree, with clone3 and set_tid. */
#define THROUGH_CLONE3
#include "../clone2/g-restart.c"
