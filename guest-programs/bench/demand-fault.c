/* Demand paging: every page is touched once, so each iteration is one page fault and one zeroed frame. Done in areas of 1024
 * pages, which are unmapped again, so that memory use does not grow with the count. */
#include "bench.h"

enum { AREA_PAGES = 1024 };

int main(int argc, char **argv) {
  for (long left = iterations(argc, argv); left > 0; left -= AREA_PAGES) {
    long pages = left < AREA_PAGES ? left : AREA_PAGES;
    size_t size = (size_t)pages * PAGE_SIZE;
    long area = sys_mmap(0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (is_error(area)) return 1;
    for (long page = 0; page < pages; page++) *(volatile char *)(area + page * (long)PAGE_SIZE) = 1;
    sys_munmap((void *)area, size);
  }
  return 0;
}
