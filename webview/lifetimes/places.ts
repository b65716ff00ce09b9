import type { LifetimeLane } from './content';

export const MARGIN = { top: 12, right: 16, bottom: 26, left: 76 } as const;
const TITLE = 18;
const LANE_GAP = 8;

/** Where a lane stands on the canvas: its title above `top`. */
export interface LanePlace {
  readonly top: number;
  readonly bottom: number;
}

/** Lanes share the height; a single one needs no title. */
export function placesOf(lanes: number, height: number): LanePlace[] {
  const title = lanes > 1 ? TITLE : 0;
  const room = (height - MARGIN.top - MARGIN.bottom - (lanes - 1) * LANE_GAP) / lanes;
  return Array.from({ length: lanes }, (_, i) => {
    const top = MARGIN.top + i * (room + LANE_GAP) + title;
    return { top, bottom: top + room - title };
  });
}

/** Pixel of a value (bytes or rows, base included) in a lane. */
export function laneY({ most }: LifetimeLane, { top, bottom }: LanePlace, value: number): number {
  return bottom - (value / most) * (bottom - top);
}
