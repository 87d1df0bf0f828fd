import { flagSet } from "./flags.ts";
import { array, bytes, pad, shown, struct, u16, u32, u64 } from "./layout.ts";
import type { TypeOf } from "./layout.ts";
import { siginfo, stack_t } from "./signal.ts";

/** Registers saved in a signal frame (struct sigcontext_64 of asm/sigcontext.h). */
export const sigcontext = struct(
  "sigcontext_64",
  {
    r8: u64,
    r9: u64,
    r10: u64,
    r11: u64,
    r12: u64,
    r13: u64,
    r14: u64,
    r15: u64,
    di: u64,
    si: u64,
    bp: u64,
    bx: u64,
    dx: u64,
    ax: u64,
    cx: u64,
    sp: u64,
    ip: u64,
    flags: u64,
    cs: u16,
    gs: u16,
    fs: u16,
    ss: u16,
    err: u64,
    trapno: u64,
    oldmask: u64,
    cr2: u64,
    fpstate: shown(u64, "address"),
    reserved1: pad(64),
  },
  { size: 256, page: "sigreturn(2)" },
);
export type sigcontext = TypeOf<typeof sigcontext>;

/** uc_flags: the frame has XSAVE state; SS is valid and must be restored as it is. */
export const UC_FP_XSTATE = 1;
export const UC_SIGCONTEXT_SS = 2;
export const UC_STRICT_RESTORE_SS = 4;
export const ucontextFlags = flagSet("ucontext flags", { UC_FP_XSTATE, UC_SIGCONTEXT_SS, UC_STRICT_RESTORE_SS });

/** The kernel's struct ucontext; glibc's ucontext_t has the same start. */
export const ucontext = struct(
  "ucontext",
  {
    uc_flags: shown(u64, ucontextFlags),
    uc_link: shown(u64, "address"),
    uc_stack: stack_t,
    uc_mcontext: sigcontext,
    uc_sigmask: shown(u64, "hex"),
  },
  { size: 304, page: "getcontext(3)" },
);
export type ucontext = TypeOf<typeof ucontext>;

/** What the stack pointer names when a handler starts: return address first, then context and siginfo. */
export const rt_sigframe = struct(
  "rt_sigframe",
  { pretcode: shown(u64, "address"), uc: ucontext, info: siginfo },
  { size: 440, page: "sigreturn(2)" },
);

/** The stack below the stack pointer that a leaf function may use; a signal frame starts under it. */
export const RED_ZONE_SIZE = 128;

export const FP_XSTATE_MAGIC1 = 0x46505853;
export const FP_XSTATE_MAGIC2 = 0x46505845;
export const FP_XSTATE_MAGIC2_SIZE = 4;
/** Bytes of an FXSAVE image. */
export const FXSAVE_SIZE = 512;
/** XSAVE header after the FXSAVE image. */
export const XSAVE_HEADER_SIZE = 64;

/** The last 48 bytes of the FXSAVE image in a signal frame, where the kernel says how much state follows. */
export const fpx_sw_bytes = struct(
  "_fpx_sw_bytes",
  { magic1: shown(u32, "hex"), extended_size: u32, xfeatures: shown(u64, "hex"), xstate_size: u32, padding: pad(28) },
  { size: 48, page: "sigreturn(2)" },
);

/** FXSAVE image, 16-byte aligned in memory (struct _fpstate_64 of asm/sigcontext.h). */
export const fpstate = struct(
  "_fpstate_64",
  {
    cwd: u16,
    swd: u16,
    twd: u16,
    fop: u16,
    rip: u64,
    rdp: u64,
    mxcsr: u32,
    mxcsr_mask: u32,
    st_space: array(u32, 32),
    xmm_space: bytes(256),
    reserved2: pad(48),
    sw_reserved: fpx_sw_bytes,
  },
  { size: 512, page: "sigreturn(2)" },
);
/** Values after a fresh exec: all exceptions masked, round to nearest. */
export const FPU_DEFAULT_CWD = 0x37f;
export const MXCSR_DEFAULT = 0x1f80;
