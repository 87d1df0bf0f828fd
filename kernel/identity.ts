/** Who the kernel says it is (uname(2), /proc/version): programs ask for the release to know what they can use. */
export const KERNEL_RELEASE = "6.1.0-trapgate";
/** The same for programs that want the numbering of Linux 2.6 (personality(2), UNAME26). */
export const RELEASE_AS_26 = "2.6.61-trapgate";
export const KERNEL_VERSION = "#1 SMP PREEMPT_DYNAMIC Trapgate";
