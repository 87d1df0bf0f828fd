/* Where a program without a C library begins. The kernel puts argc, the argument pointers, a null, the environment
 * pointers and another null on the new stack, and jumps to _start with rsp pointing at argc. */
#include "sys.h"

int main(int argc, char **argv, char **envp);

__asm__(
    ".globl _start\n"
    ".type _start, @function\n"
    "_start:\n"
    "  xor %ebp, %ebp\n"                /* the outermost frame, for whoever walks the stack */
    "  mov (%rsp), %rdi\n"              /* argc */
    "  lea 8(%rsp), %rsi\n"             /* argv */
    "  lea 16(%rsp,%rdi,8), %rdx\n"     /* envp begins after argv's null */
    "  and $-16, %rsp\n"
    "  call main\n"
    "  mov %eax, %edi\n"
    "  mov $231, %eax\n"                /* exit_group */
    "  syscall\n"
    "  ud2\n"
    ".globl sys_return_from_signal\n"
    ".type sys_return_from_signal, @function\n"
    "sys_return_from_signal:\n"
    "  mov $15, %eax\n"                 /* rt_sigreturn restores every register from the frame at rsp */
    "  syscall\n"
    "  ud2\n");
