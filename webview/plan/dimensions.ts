/** Names of partition dimensions, for people. */
export const DIMENSION_LABELS: Readonly<Record<string, string>> = {
  none: 'Whole',
  H: 'H, rows',
  W: 'W, columns',
  C: 'C, channels',
  K: 'K, reduction',
};
