/** How often what happened: what a run has really gone through, by kind. */
export class Counts {
  readonly all: Record<string, number> = {}

  add(what: string, by = 1): void {
    if (by > 0) this.all[what] = (this.all[what] ?? 0) + by
  }
}
