/** Who the kernel says it is (uname(2), /proc/version): programs ask for the release to know what they can use. */
export const KERNEL_RELEASE = "6.1.0-trapgate";
export const KERNEL_VERSION = "#1 SMP PREEMPT_DYNAMIC Trapgate";
