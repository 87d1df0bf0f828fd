/** Wrong use of the command line, and what it says about itself. */

/** The command line makes no sense: one sentence, exit code 2. */
export class UsageError extends Error {}

/** What was asked for cannot be had, with the exit code that says why (docs: 124 to 127). */
export class CommandError extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode: number) {
    super(message);
    this.exitCode = exitCode;
  }
}

export const EXIT_USAGE = 2;
export const EXIT_LIMIT = 124;
export const EXIT_FAILURE = 125;
export const EXIT_NOT_EXECUTABLE = 126;
export const EXIT_NOT_FOUND = 127;
