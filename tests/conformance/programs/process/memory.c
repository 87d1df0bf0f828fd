/* Memory: brk, mmap, mprotect, mremap, madvise, and reading other processes (mmap(2) and its sisters). */
#include "threads.h"

static char *map(size_t size, int protection, int flags) {
  return (char *)expect_ok(sys_mmap(0, size, protection, flags | MAP_ANONYMOUS, -1, 0));
}
enum { RW = PROT_READ | PROT_WRITE };

/* The signal a child dies of when it does this to the byte: 'r' or 'w'; 0 for none. */
static int touch(volatile char *byte, char how) {
  long pid = expect_ok(sys_fork());
  if (pid == 0) {
    struct rlimit none = {0, 0};
    SYS2(setrlimit, RLIMIT_CORE, &none);
    if (how == 'r') (void)*byte;
    else *byte = 1;
    sys_exit_group(0);
  }
  return WTERMSIG(reap(pid));
}

CASE(brk, "brk moves the end of the data segment in both directions, new pages are zero") {
  long end = SYS1(brk, 0);
  expect_value(SYS1(brk, end + 10000), end + 10000, "growing");
  char *heap = (char *)end;
  for (int i = 0; i < 10000; i++) expect(heap[i] == 0, "byte %d is not zero", i);
  memset(heap, 7, 10000);
  expect_value(SYS1(brk, end), end, "shrinking");
  expect_value(SYS1(brk, end + 10000), end + 10000, "growing again");
  expect_value(((char *)end)[9000], 0, "a page that was given back");
  expect_value(SYS1(brk, 1), end + 10000, "an impossible address changes nothing");
}

CASE(zero_and_private, "anonymous memory is zero; after fork private pages part, shared ones do not") {
  char *own = map(PAGE_SIZE, RW, MAP_PRIVATE), *common = map(PAGE_SIZE, RW, MAP_SHARED);
  expect(own[0] == 0 && common[4095] == 0, "not zero");
  own[0] = common[0] = 1;
  IN_CHILD {
    expect_value(own[0], 1, "the child's copy");
    own[0] = common[0] = 2;
  }
  expect_value(own[0], 1, "the private byte");
  expect_value(common[0], 2, "the shared byte");
}

CASE(map_errors, "mmap refuses length 0, no or both kinds, unaligned fixed addresses and offsets, files without permission") {
  own_folder();
  int fd = (int)expect_ok(sys_open("file", O_WRONLY | O_CREAT, 0600));
  expect_error(EINVAL, sys_mmap(0, 0, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  expect_error(EINVAL, sys_mmap(0, 4096, RW, MAP_ANONYMOUS, -1, 0));
  expect_error(EINVAL, sys_mmap((void *)0x10001, 4096, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
  expect_error(EINVAL, sys_mmap(0, 4096, RW, MAP_PRIVATE, fd, 100));
  expect_error(EACCES, sys_mmap(0, 4096, PROT_READ, MAP_PRIVATE, fd, 0));
  expect_error(EBADF, sys_mmap(0, 4096, PROT_READ, MAP_PRIVATE, -1, 0));
  expect_error(ENOMEM, sys_mmap(0, 1UL << 47, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
  sys_close(fd);
  fd = (int)expect_ok(sys_open("file", O_RDONLY, 0));
  expect_error(EACCES, sys_mmap(0, 4096, RW, MAP_SHARED, fd, 0));
  expect_ok(sys_mmap(0, 4096, RW, MAP_PRIVATE, fd, 0));
  int ends[2];
  sys_pipe(ends);
  expect_error(ENODEV, sys_mmap(0, 4096, PROT_READ, MAP_PRIVATE, ends[0], 0));
}

CASE(fixed, "MAP_FIXED replaces what is there, MAP_FIXED_NOREPLACE gives EEXIST") {
  char *page = map(2 * PAGE_SIZE, RW, MAP_PRIVATE);
  page[0] = 1, page[PAGE_SIZE] = 1;
  expect_error(EEXIST, sys_mmap(page, PAGE_SIZE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0));
  expect_value(sys_mmap(page, PAGE_SIZE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0), page, "MAP_FIXED");
  expect_value(page[0], 0, "the first page");
  expect_value(page[PAGE_SIZE], 1, "the second page");
}

CASE(file_mappings, "a shared file mapping and the file are the same bytes, a private one keeps its changes to itself") {
  own_folder();
  make_file("file", "hello", 5, 0600);
  char byte = 0;
  int fd = (int)expect_ok(sys_open("file", O_RDWR, 0));
  char *common = (char *)expect_ok(sys_mmap(0, 4096, RW, MAP_SHARED, fd, 0));
  char *own = (char *)expect_ok(sys_mmap(0, 4096, RW, MAP_PRIVATE, fd, 0));
  own[1] = 'E';
  common[0] = 'H';
  expect_value(SYS4(pread64, fd, &byte, 1, 0), 1, "pread");
  expect_value(byte, 'H', "the file after a write to memory");
  expect_value(SYS4(pwrite64, fd, "p", 1, 3), 1, "pwrite");
  expect_value(common[3], 'p', "the memory after a write to the file");
  expect_value(common[1], 'e', "the shared byte");
  expect_value(common[5], 0, "behind the end of the file");
  sys_close(fd);
  expect_ok(SYS1(unlink, "file"));
  expect_value(common[0], 'H', "without descriptor and name");
}

CASE(unmap, "munmap of the middle leaves both ends, and unmapped memory is no error") {
  char *memory = map(3 * PAGE_SIZE, RW, MAP_PRIVATE);
  expect_ok(sys_munmap(memory + PAGE_SIZE, PAGE_SIZE));
  memory[0] = memory[2 * PAGE_SIZE] = 1;
  expect_value(touch(memory + PAGE_SIZE, 'r'), SIGSEGV, "the hole");
  expect_ok(sys_munmap(memory + PAGE_SIZE, PAGE_SIZE));
  expect_error(EINVAL, sys_munmap(memory + 1, PAGE_SIZE));
  expect_error(EINVAL, sys_munmap(memory, 0));
}

CASE(protect, "mprotect changes pages one by one, and gives ENOMEM for a hole") {
  char *memory = map(3 * PAGE_SIZE, RW, MAP_PRIVATE);
  expect_ok(SYS3(mprotect, memory + PAGE_SIZE, PAGE_SIZE, PROT_READ));
  expect_value(touch(memory + PAGE_SIZE, 'w'), SIGSEGV, "writing the middle");
  expect_value(touch(memory + PAGE_SIZE, 'r'), 0, "reading the middle");
  expect_value(touch(memory, 'w'), 0, "writing the first");
  expect_ok(SYS3(mprotect, memory, PAGE_SIZE, PROT_NONE));
  expect_value(touch(memory, 'r'), SIGSEGV, "reading PROT_NONE");
  expect_ok(sys_munmap(memory + PAGE_SIZE, PAGE_SIZE));
  expect_error(ENOMEM, SYS3(mprotect, memory, 3 * PAGE_SIZE, PROT_READ));
  expect_error(EINVAL, SYS3(mprotect, memory + 1, PAGE_SIZE, PROT_READ));
  expect_error(EINVAL, SYS3(mprotect, memory, PAGE_SIZE, 0x80));
}

CASE(execute, "code written to memory runs when it has PROT_EXEC, and after it has changed the new code runs") {
  unsigned char code[] = {0xb8, 42, 0, 0, 0, 0xc3}; /* mov $42, %eax; ret */
  char *page = map(PAGE_SIZE, RW | PROT_EXEC, MAP_PRIVATE);
  memcpy(page, code, sizeof code);
  expect_value(((int (*)(void))page)(), 42, "the function");
  page[1] = 43;
  expect_value(((int (*)(void))page)(), 43, "the changed function");
}

CASE(remap, "mremap grows, shrinks and moves, and keeps the bytes") {
  char *memory = map(2 * PAGE_SIZE, RW, MAP_PRIVATE);
  memory[0] = 1, memory[PAGE_SIZE] = 2;
  char *grown = (char *)expect_ok(SYS4(mremap, memory, 2 * PAGE_SIZE, 64 * PAGE_SIZE, MREMAP_MAYMOVE));
  expect(grown[0] == 1 && grown[PAGE_SIZE] == 2 && grown[63 * PAGE_SIZE] == 0, "the bytes have changed");
  expect_value(SYS4(mremap, grown, 64 * PAGE_SIZE, PAGE_SIZE, 0), grown, "shrinking");
  expect_value(touch(grown + PAGE_SIZE, 'r'), SIGSEGV, "behind the end");
  char *target = map(PAGE_SIZE, RW, MAP_PRIVATE);
  expect_value(SYS5(mremap, grown, PAGE_SIZE, PAGE_SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, target), target, "moving");
  expect_value(target[0], 1, "the byte");
  expect_value(touch(grown, 'r'), SIGSEGV, "the old place");
}

CASE(remap_errors, "mremap without MAYMOVE gives ENOMEM when there is no room, and refuses nonsense with EINVAL or EFAULT") {
  char *memory = map(3 * PAGE_SIZE, RW, MAP_PRIVATE);
  expect_ok(SYS3(mprotect, memory + PAGE_SIZE, PAGE_SIZE, PROT_READ)); /* a mapping of its own */
  expect_error(ENOMEM, SYS4(mremap, memory, PAGE_SIZE, 2 * PAGE_SIZE, 0));
  expect_error(EINVAL, SYS4(mremap, memory + 1, PAGE_SIZE, PAGE_SIZE, 0));
  expect_error(EINVAL, SYS4(mremap, memory, PAGE_SIZE, 0, MREMAP_MAYMOVE));
  expect_error(EINVAL, SYS4(mremap, memory, PAGE_SIZE, PAGE_SIZE, 64));
  expect_error(EINVAL, SYS5(mremap, memory, PAGE_SIZE, PAGE_SIZE, MREMAP_FIXED, memory + PAGE_SIZE));
  expect_error(EFAULT, SYS4(mremap, memory, 3 * PAGE_SIZE, 4 * PAGE_SIZE, MREMAP_MAYMOVE));
  expect_error(EFAULT, SYS4(mremap, guard(1), PAGE_SIZE, 2 * PAGE_SIZE, MREMAP_MAYMOVE));
}

CASE(dont_unmap, "MREMAP_DONTUNMAP moves the pages and leaves an empty mapping behind") {
  char *memory = map(PAGE_SIZE, RW, MAP_PRIVATE);
  memory[0] = 1;
  char *moved = (char *)expect_ok(SYS5(mremap, memory, PAGE_SIZE, PAGE_SIZE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, 0));
  expect_value(moved[0], 1, "the moved byte");
  expect_value(memory[0], 0, "the old place");
}

CASE(dontneed, "MADV_DONTNEED makes private anonymous pages zero again, and file pages what the file says") {
  own_folder();
  make_file("file", "hello", 5, 0600);
  int fd = (int)expect_ok(sys_open("file", O_RDWR, 0));
  char *memory = map(2 * PAGE_SIZE, RW, MAP_PRIVATE), *file = (char *)expect_ok(sys_mmap(0, 4096, RW, MAP_PRIVATE, fd, 0));
  memory[0] = memory[PAGE_SIZE] = 1, file[0] = 'x';
  expect_ok(SYS3(madvise, memory, PAGE_SIZE, MADV_DONTNEED));
  expect_ok(SYS3(madvise, file, PAGE_SIZE, MADV_DONTNEED));
  expect_value(memory[0], 0, "the first page");
  expect_value(memory[PAGE_SIZE], 1, "the second page");
  expect_value(file[0], 'h', "the file page");
}

CASE(dontfork, "MADV_DONTFORK leaves a mapping out of the child, MADV_DOFORK puts it back") {
  char *memory = map(PAGE_SIZE, RW, MAP_PRIVATE);
  expect_ok(SYS3(madvise, memory, PAGE_SIZE, MADV_DONTFORK));
  expect_value(touch(memory, 'r'), SIGSEGV, "in a child");
  expect_ok(SYS3(madvise, memory, PAGE_SIZE, MADV_DOFORK));
  expect_value(touch(memory, 'r'), 0, "in a child after MADV_DOFORK");
}

CASE(wipeonfork, "MADV_WIPEONFORK makes a mapping zero in the child, only for private anonymous memory") {
  char *memory = map(PAGE_SIZE, RW, MAP_PRIVATE), *common = map(PAGE_SIZE, RW, MAP_SHARED);
  memory[0] = 1;
  expect_ok(SYS3(madvise, memory, PAGE_SIZE, MADV_WIPEONFORK));
  IN_CHILD expect_value(memory[0], 0, "in the child");
  expect_value(memory[0], 1, "in the parent");
  expect_ok(SYS3(madvise, memory, PAGE_SIZE, MADV_KEEPONFORK));
  IN_CHILD expect_value(memory[0], 1, "in the child after MADV_KEEPONFORK");
  expect_error(EINVAL, SYS3(madvise, common, PAGE_SIZE, MADV_WIPEONFORK));
}

CASE(advice_errors, "madvise refuses unknown advice and unaligned addresses with EINVAL, holes with ENOMEM") {
  char *memory = map(PAGE_SIZE, RW, MAP_PRIVATE);
  expect_error(EINVAL, SYS3(madvise, memory, PAGE_SIZE, 12345));
  expect_error(EINVAL, SYS3(madvise, memory + 1, PAGE_SIZE, MADV_DONTNEED));
  expect_error(ENOMEM, SYS3(madvise, guard(1), PAGE_SIZE, MADV_DONTNEED));
  expect_ok(SYS3(madvise, memory, 0, MADV_DONTNEED));
  expect_ok(SYS3(madvise, memory, PAGE_SIZE, MADV_SEQUENTIAL));
}

CASE(populate, "MADV_POPULATE_WRITE makes pages present, and mincore says so") {
  char *memory = map(4 * PAGE_SIZE, RW, MAP_PRIVATE);
  unsigned char present[4] = {9, 9, 9, 9};
  expect_ok(SYS3(madvise, memory, 2 * PAGE_SIZE, MADV_POPULATE_WRITE));
  expect_ok(SYS3(mincore, memory, 4 * PAGE_SIZE, present));
  expect((present[0] & 1) && (present[1] & 1) && !(present[3] & 1), "present: %d %d %d %d", present[0], present[1], present[2], present[3]);
  expect_error(ENOMEM, SYS3(mincore, guard(1), PAGE_SIZE, present));
  expect_error(EINVAL, SYS3(mincore, memory + 1, PAGE_SIZE, present));
}

CASE(grows_down, "a MAP_GROWSDOWN mapping grows when the page below it is touched") {
  char *area = map(64 * PAGE_SIZE, PROT_NONE, MAP_PRIVATE);
  expect_ok(sys_munmap(area, 64 * PAGE_SIZE));
  char *top = (char *)expect_ok(sys_mmap(area + 62 * PAGE_SIZE, PAGE_SIZE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_GROWSDOWN, -1, 0));
  volatile char *below = top - 8;
  *below = 5;
  expect_value(*below, 5, "the byte below");
}

CASE(syscall_cow, "a system call that writes to a page shared after fork gives the writer a copy") {
  static char buffer[16] = "before";
  int ends[2];
  sys_pipe(ends);
  sys_write(ends[1], "after!", 6);
  IN_CHILD {
    expect_value(sys_read(ends[0], buffer, 6), 6, "read");
    expect_value(buffer[0], 'a', "in the child");
  }
  expect_value(buffer[0], 'b', "in the parent");
}

CASE(vm_read, "process_vm_readv and process_vm_writev copy between processes, and stop at the first bad page") {
  static char target[64] = "original";
  char buffer[64] = {0};
  struct held held = hold_fork();
  struct iovec local = {buffer, 8}, remote = {target, 8};
  expect_value(SYS6(process_vm_readv, held.pid, &local, 1, &remote, 1, 0), 8, "readv");
  expect(memcmp(buffer, "original", 8) == 0, "read %s", buffer);
  memcpy(buffer, "replaced", 8);
  expect_value(SYS6(process_vm_writev, held.pid, &local, 1, &remote, 1, 0), 8, "writev");
  memset(buffer, 0, 8);
  expect_value(SYS6(process_vm_readv, held.pid, &local, 1, &remote, 1, 0), 8, "readv");
  expect(memcmp(buffer, "replaced", 8) == 0, "read %s", buffer);
  expect(memcmp(target, "original", 8) == 0, "the caller's own memory has changed");
  struct iovec bad = {(void *)8, 8};
  expect_error(EFAULT, SYS6(process_vm_readv, held.pid, &local, 1, &bad, 1, 0));
  expect_error(EINVAL, SYS6(process_vm_readv, held.pid, &local, 1, &remote, 1, 1));
  expect_error(ESRCH, SYS6(process_vm_readv, free_pid(), &local, 1, &remote, 1, 0));
  AS_UNPRIVILEGED expect_error(EPERM, SYS6(process_vm_readv, held.pid, &local, 1, &remote, 1, 0));
  release(&held);
}

CASE(vm_partial, "process_vm_readv gives what it could copy before a hole") {
  char *end = guard(1);
  static char buffer[200];
  memset(end - 100, 'z', 100);
  struct held held = hold_fork();
  struct iovec local = {buffer, 200}, remote[2] = {{end - 100, 100}, {end, 100}};
  expect_value(SYS6(process_vm_readv, held.pid, &local, 1, remote, 2, 0), 100, "readv");
  expect_value(buffer[99], 'z', "the last byte");
  release(&held);
}

CASE(mlock, "mlock and munlock accept mapped memory, ENOMEM for a hole") {
  char *memory = map(2 * PAGE_SIZE, RW, MAP_PRIVATE);
  expect_ok(SYS2(mlock, memory, PAGE_SIZE));
  expect_ok(SYS2(munlock, memory, PAGE_SIZE));
  expect_error(ENOMEM, SYS2(mlock, guard(1), PAGE_SIZE));
  expect_error(EINVAL, SYS3(mlock2, memory, PAGE_SIZE, 2));
}

CASE(msync, "msync refuses unaligned addresses and contradicting flags with EINVAL, holes with ENOMEM") {
  char *memory = map(PAGE_SIZE, RW, MAP_SHARED);
  expect_ok(SYS3(msync, memory, PAGE_SIZE, MS_SYNC));
  expect_error(EINVAL, SYS3(msync, memory + 1, PAGE_SIZE, MS_SYNC));
  expect_error(EINVAL, SYS3(msync, memory, PAGE_SIZE, MS_SYNC | MS_ASYNC));
  expect_error(ENOMEM, SYS3(msync, guard(1), PAGE_SIZE, MS_SYNC));
}

MAIN("process.memory")
