import type { CostAnalysis, OperatorPin } from '../../src/protocol/webview';
import { DIMENSION_LABELS } from '../plan/dimensions';

interface PinEntry {
  readonly label: string;
  readonly chosen: () => void;
}

/** `on hub`, `H, rows`, `on hub, whole`. */
export function pinText({ device, dimension }: OperatorPin): string {
  return [
    device === undefined ? '' : `on ${device}`,
    dimension === undefined ? '' : DIMENSION_LABELS[dimension],
  ]
    .filter((part) => part !== '')
    .join(', ');
}

/** What an operator can be pinned to: every device, and the dimensions that it can be split along. */
export function pinEntries(
  devices: readonly string[],
  analysis: CostAnalysis | null,
  now: OperatorPin | undefined,
  pin: (pin: OperatorPin | null) => void,
): PinEntry[] {
  const dimensions = [...new Set(analysis?.alternatives.map(({ dimension }) => dimension))];
  const chosen = (isOn: boolean, label: string): string => (isOn ? `✓ ${label}` : label);
  return [
    ...devices.map((device) => ({
      label: chosen(now?.device === device, `Keep on ${device}`),
      chosen: () => pin({ device }),
    })),
    ...dimensions.map((dimension) => ({
      label: chosen(
        now?.dimension === dimension,
        dimension === 'none' ? 'Keep whole' : `Split by ${DIMENSION_LABELS[dimension]}`,
      ),
      chosen: () => pin({ dimension }),
    })),
    ...(now === undefined ? [] : [{ label: 'Remove the pin', chosen: () => pin(null) }]),
  ];
}
