/** Pruning rules of BTSearch, each a named option so that a benchmark can show what it earns. None loses an optimum. */
export interface SearchRules {
  /** Run an operator at once when it fits and does not raise what is live. */
  readonly eager: boolean;
  /** Remember states from which no order fits. */
  readonly hash: boolean;
  /** Once a run of operators has brought live memory back to where it was, never try another way from there. */
  readonly valleys: boolean;
  /** Cut at the state of least live memory, and search the part after it backwards. */
  readonly cut: boolean;
  /** Where a search is hard, raise the lower bound to the minimum-cut bound of every operator. */
  readonly cutBound: boolean;
  /** Go from release to release: run just the operators that let one more storage be freed. */
  readonly releases: boolean;
  /** After a move, go straight on with the only operator it leads to, unless stopping there can be worth its while. */
  readonly hills: boolean;
  /** Run equal branches between the same operators in one canonical way only. */
  readonly twins: boolean;
}

export const ALL_RULES: SearchRules = {
  eager: true,
  hash: true,
  valleys: true,
  cut: true,
  cutBound: true,
  releases: true,
  hills: true,
  twins: true,
};
