/** XSAVE, XSAVEOPT, XSAVEC and XRSTOR of the x87, SSE and AVX state (Intel SDM volume 1, chapter 13). */
import type { PhysicalMemory } from "../../physical-memory.ts";
import { AT_YMM_HIGH } from "../layout.ts";
import { restoreState, storeState } from "./fpu-state.ts";

/** State components, and XCR0: all three. */
export const X87 = 1;
export const SSE = 2;
export const AVX = 4;
export const XCR0 = X87 | SSE | AVX;

/** Bytes with and without the AVX component, which lies at 576 in both formats. */
export const XSAVE_BYTES = 832;
export const XSAVE_BYTES_WITHOUT_AVX = 576;
export const AT_AVX_COMPONENT = 576;
export const AT_XSTATE_BV = 512;
export const AT_XCOMP_BV = 520;

/** What `restore` says: done, an area that XRSTOR does not accept (#GP), or done and floating point is strict now. */
export const RESTORED = 0;
export const REFUSED = 1;
export const CHANGED = 2;

export const XSAVE_KINDS = ["xsave", "xsaveopt", "xsavec"] as const;

const LEGACY_BYTES = 512;
const AT_MXCSR_IMAGE = 24;
const AT_ST = 32;
const AT_XMM_IMAGE = 160;
const END_OF_XMM = 416;
const YMM_BYTES = 256;
/** Bit 63 of XCOMP_BV. */
const COMPACTED = 0x80000000;
const DEFAULT_CONTROL = 0x37f;
const DEFAULT_MXCSR = 0x1f80;

const isZero = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === 0);

/** The first 512 bytes in their initial state (section 13.6). */
function initialImage(): Uint8Array {
  const image = new Uint8Array(LEGACY_BYTES);
  const view = new DataView(image.buffer);
  view.setUint16(0, DEFAULT_CONTROL, true);
  view.setUint32(AT_MXCSR_IMAGE, DEFAULT_MXCSR, true);
  return image;
}

const INITIAL = initialImage();

function copyX87(to: Uint8Array, from: Uint8Array): void {
  to.set(from.subarray(0, AT_MXCSR_IMAGE), 0);
  to.set(from.subarray(AT_ST, AT_XMM_IMAGE), AT_ST);
}

const copyMxcsr = (to: Uint8Array, from: Uint8Array, bytes = 8): void =>
  to.set(from.subarray(AT_MXCSR_IMAGE, AT_MXCSR_IMAGE + bytes), AT_MXCSR_IMAGE);

const copyXmm = (to: Uint8Array, from: Uint8Array): void =>
  to.set(from.subarray(AT_XMM_IMAGE, END_OF_XMM), AT_XMM_IMAGE);

export class ExtendedState {
  private readonly memory: PhysicalMemory;
  private readonly image = new Uint8Array(LEGACY_BYTES);

  constructor(memory: PhysicalMemory) {
    this.memory = memory;
  }

  /** Components that are not in their initial state. */
  readonly inUse = (): number => {
    const { memory, image } = this;
    storeState(memory, image);
    const differs = (from: number, to: number): boolean => {
      for (let i = from; i < to; i++) if (image[i] !== INITIAL[i]) return true;
      return false;
    };
    const x87 = differs(0, AT_MXCSR_IMAGE) || differs(AT_ST, AT_XMM_IMAGE);
    const sse = differs(AT_MXCSR_IMAGE, AT_MXCSR_IMAGE + 4) || differs(AT_XMM_IMAGE, END_OF_XMM);
    const avx = !isZero(memory.u8.subarray(AT_YMM_HIGH, AT_YMM_HIGH + YMM_BYTES));
    return (x87 ? X87 : 0) | (sse ? SSE : 0) | (avx ? AVX : 0);
  };

  /** @param wanted components asked for, within XCR0 @param kind index in XSAVE_KINDS */
  readonly save = (host: number, wanted: number, kind: number): void => {
    const { u8, view } = this.memory;
    const compact = XSAVE_KINDS[kind] === "xsavec";
    const inUse = this.inUse();
    const written = XSAVE_KINDS[kind] === "xsave" ? wanted : wanted & inUse;
    const area = u8.subarray(host, host + XSAVE_BYTES);
    if ((written & X87) !== 0) copyX87(area, this.image);
    if ((written & SSE) !== 0) copyXmm(area, this.image);
    if (compact ? (written & SSE) !== 0 : (wanted & (SSE | AVX)) !== 0) copyMxcsr(area, this.image);
    if ((written & AVX) !== 0) area.set(u8.subarray(AT_YMM_HIGH, AT_YMM_HIGH + YMM_BYTES), AT_AVX_COMPONENT);
    const kept = compact ? 0 : view.getUint32(host + AT_XSTATE_BV, true) & ~wanted;
    view.setUint32(host + AT_XSTATE_BV, kept | (wanted & inUse), true);
    if (!compact) return;
    view.setUint32(host + AT_XSTATE_BV + 4, 0, true);
    view.setUint32(host + AT_XCOMP_BV, wanted, true);
    view.setUint32(host + AT_XCOMP_BV + 4, COMPACTED, true);
  };

  readonly restore = (host: number, wanted: number): number => {
    const { memory, image } = this;
    const { u8, view } = memory;
    const area = u8.subarray(host, host + XSAVE_BYTES);
    const [present, presentHigh, layout, layoutHigh] = [0, 4, 8, 12].map((i) =>
      view.getUint32(host + AT_XSTATE_BV + i, true),
    ) as [number, number, number, number];
    const compact = layoutHigh === COMPACTED;
    const known = compact ? layout : XCR0;
    if (presentHigh !== 0 || (present & ~known) !== 0 || (known & ~XCR0) !== 0) return REFUSED;
    if (!compact && (layout !== 0 || layoutHigh !== 0)) return REFUSED;
    if (!isZero(area.subarray(AT_XSTATE_BV + 16, compact ? AT_AVX_COMPONENT : AT_XSTATE_BV + 24))) return REFUSED;
    const loadsMxcsr = compact ? (wanted & present & SSE) !== 0 : (wanted & (SSE | AVX)) !== 0;
    if (loadsMxcsr && view.getUint32(host + AT_MXCSR_IMAGE, true) > 0xffff) return REFUSED;
    storeState(memory, image);
    const source = (component: number): Uint8Array => ((present & component) !== 0 ? area : INITIAL);
    if ((wanted & X87) !== 0) copyX87(image, source(X87));
    if ((wanted & SSE) !== 0) copyXmm(image, source(SSE));
    if (loadsMxcsr) copyMxcsr(image, area, 4);
    else if ((wanted & SSE) !== 0) copyMxcsr(image, INITIAL, 4);
    const status = restoreState(memory, image) ? CHANGED : RESTORED;
    if ((wanted & AVX) === 0) return status;
    if ((present & AVX) === 0) u8.fill(0, AT_YMM_HIGH, AT_YMM_HIGH + YMM_BYTES);
    else u8.set(area.subarray(AT_AVX_COMPONENT), AT_YMM_HIGH);
    return status;
  };
}
