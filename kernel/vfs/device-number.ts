/** Device numbers as user space sees them in 32 bits (makedev(3)): exact for majors below 4096, minors below 2^20. */

export function encodeDevice(major: number, minor: number): number {
  return ((minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12)) >>> 0;
}

export const deviceMajor = (device: number): number => (device >>> 8) & 0xfff;
export const deviceMinor = (device: number): number => (device & 0xff) | ((device >>> 12) & 0xfff00);
