/** Pruning rules of BTSearch, each a named option so that a benchmark can show what it earns. None loses an optimum. */
export interface SearchRules {
  /** Run an operator at once when it fits and does not raise what is live. */
  readonly eager: boolean;
  /** Remember states from which no order fits. */
  readonly hash: boolean;
}

export const ALL_RULES: SearchRules = { eager: true, hash: true };
