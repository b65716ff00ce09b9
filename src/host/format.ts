import * as vscode from 'vscode';
import type { RunProgress } from '../protocol/webview';

const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** `3.4 MiB`. */
export function bytesText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  for (; value >= 1024 && unit < BYTE_UNITS.length - 1; unit++) value /= 1024;
  return `${unit === 0 ? value : threeDigits(value)} ${BYTE_UNITS[unit]}`;
}

/** `33.4 ms`. */
export function secondsText(seconds: number): string {
  if (seconds >= 1) return `${threeDigits(seconds)} s`;
  return seconds >= 1e-3 ? `${threeDigits(seconds * 1e3)} ms` : `${threeDigits(seconds * 1e6)} µs`;
}

/** `6.00 GFLOP/s`. */
export function computeText(compute: number): string {
  if (compute >= 1e12) return `${threeDigits(compute / 1e12)} TFLOP/s`;
  return compute >= 1e9 ? `${threeDigits(compute / 1e9)} GFLOP/s` : `${threeDigits(compute / 1e6)} MFLOP/s`;
}

/** `−42 %` from `before` to `after`. */
export function changeText(before: number, after: number): string {
  const percent = Math.round((after / before - 1) * 100);
  return `${percent < 0 ? '−' : percent > 0 ? '+' : ''}${Math.abs(percent)} %`;
}

/** `Partition · best 33.4 ms (at least 28.1 ms)`. */
export function progressText({ phase, bestSeconds, boundSeconds, bestPeakBytes }: RunProgress): string {
  if (bestSeconds !== null && boundSeconds !== null)
    return vscode.l10n.t(
      '{0} · best {1} (bound {2})',
      phase,
      secondsText(bestSeconds),
      secondsText(boundSeconds),
    );
  if (bestSeconds !== null) return vscode.l10n.t('{0} · best {1}', phase, secondsText(bestSeconds));
  if (bestPeakBytes !== null) return vscode.l10n.t('{0} · peak {1}', phase, bytesText(bestPeakBytes));
  return phase;
}

function threeDigits(value: number): string {
  return value >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}
