/** One broken promise of a plan: which rule, where, and what was found. */
export interface Violation {
  readonly rule:
    | 'model'
    | 'order'
    | 'arena'
    | 'partition'
    | 'transfer'
    | 'timeline'
    | 'memory'
    | 'latency'
    | 'baseline'
    | 'bound';
  readonly message: string;
}

/** Collects violations; a list of thousands of the same kind helps nobody, so each rule is cut at a limit. */
export class Violations {
  static readonly limitPerRule = 50;
  private readonly list: Violation[] = [];
  private readonly counts = new Map<Violation['rule'], number>();

  add(rule: Violation['rule'], message: string): void {
    const count = (this.counts.get(rule) ?? 0) + 1;
    this.counts.set(rule, count);
    if (count <= Violations.limitPerRule) this.list.push({ rule, message });
  }

  get any(): boolean {
    return this.counts.size > 0;
  }

  all(): readonly Violation[] {
    const cut = [...this.counts].filter(([, count]) => count > Violations.limitPerRule);
    return [
      ...this.list,
      ...cut.map(([rule, count]) => ({
        rule,
        message: `${count - Violations.limitPerRule} more of this kind`,
      })),
    ];
  }
}
