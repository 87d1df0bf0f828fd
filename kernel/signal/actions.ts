/** The table of signal actions, shared by tasks created with CLONE_SIGHAND (sigaction(2)). */
import { SIG_DFL, SIG_IGN } from "../../abi/signal.ts";
import { SignalSet } from "./signal-set.ts";

export interface SignalAction {
  /** Address, SIG_DFL or SIG_IGN. */
  handler: number;
  flags: number;
  restorer: number;
  mask: SignalSet;
}

const DEFAULT: SignalAction = Object.freeze({ handler: SIG_DFL, flags: 0, restorer: 0, mask: new SignalSet() });

export class SignalActions {
  /** Tasks that share the table. */
  users = 1;
  private readonly actions: SignalAction[];

  constructor(actions: SignalAction[] = new Array<SignalAction>(65).fill(DEFAULT)) {
    this.actions = actions;
  }

  get(signal: number): SignalAction {
    return this.actions[signal]!;
  }

  set(signal: number, action: SignalAction): void {
    this.actions[signal] = action;
  }

  clone(): SignalActions {
    return new SignalActions([...this.actions]);
  }

  /** execve(2), CLONE_CLEAR_SIGHAND: handlers become default, ignored signals stay ignored. */
  resetHandlers(): void {
    for (let signal = 1; signal <= 64; signal++) {
      const ignored = this.actions[signal]!.handler === SIG_IGN;
      this.actions[signal] = ignored ? { ...DEFAULT, handler: SIG_IGN } : DEFAULT;
    }
  }

  /** SA_RESETHAND: one handler becomes default. */
  reset(signal: number): void {
    this.actions[signal] = { ...this.actions[signal]!, handler: SIG_DFL };
  }
}
