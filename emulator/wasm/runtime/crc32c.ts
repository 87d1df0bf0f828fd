/** CRC32: the Castagnoli polynomial, bit-reflected (Intel SDM volume 2, CRC32). */
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let i = 0; i < 8; i++) crc = (crc >>> 1) ^ ((crc & 1) !== 0 ? 0x82f63b78 : 0);
  return crc;
});

export function crc32c(crc: number, value: bigint, size: number): number {
  let sum = crc >>> 0;
  let low = Number(value & 0xffffffffn);
  for (let i = 0; i < size; i++) {
    if (i === 4) low = Number(value >> 32n);
    sum = (sum >>> 8) ^ TABLE[(sum ^ low) & 255]!;
    low >>>= 8;
  }
  return sum | 0;
}
