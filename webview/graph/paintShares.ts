import type { Painting } from './painting';

/**
 * The shares of an operator at true proportions in the colours of their devices; a thin gap between them. What
 * a share computes beyond what it owns (halo) is hatched over its neighbour.
 */
export function paintShares(p: Painting, op: number, x: number, y: number, w: number, h: number): void {
  const { context, plan, deviceColors, theme } = p;
  if (plan === null) return;
  let at = x;
  const gap = Math.min(1, w / 100);
  for (const share of plan.shares(op)) {
    const width = share.fraction * w;
    context.fillStyle = deviceColors[share.device] ?? theme.dim;
    context.fillRect(at, y, Math.max(0.5, width - gap), h);
    hatch(p, at - share.before * w, y, share.before * w, h, deviceColors[share.device]);
    hatch(p, at + width, y, share.after * w, h, deviceColors[share.device]);
    at += width;
  }
}

function hatch({ context }: Painting, x: number, y: number, w: number, h: number, color: string): void {
  if (w <= 0) return;
  context.save();
  context.beginPath();
  context.rect(x, y, w, h);
  context.clip();
  context.strokeStyle = color;
  context.lineWidth = 1;
  context.beginPath();
  for (let at = x - h; at < x + w; at += 3) {
    context.moveTo(at, y + h);
    context.lineTo(at + h, y);
  }
  context.stroke();
  context.restore();
}
