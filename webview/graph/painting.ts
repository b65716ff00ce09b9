import type { GraphModel } from '../graphModel';
import type { PlanIndex } from '../plan/planIndex';
import type { Scene } from '../scene/scene';
import type { Theme } from '../theme';
import type { Look } from './look';
import type { TextFitter } from './text';

/** Everything that one frame is painted from. */
export interface Painting {
  readonly context: CanvasRenderingContext2D;
  readonly model: GraphModel;
  readonly scene: Scene;
  readonly plan: PlanIndex | null;
  readonly look: Look;
  readonly theme: Theme;
  readonly text: TextFitter;
  readonly fonts: Fonts;
  readonly k: number;
  /** By device; the others' are faint where one device alone is shown. */
  readonly deviceColors: readonly string[];
  readonly badgeFill: string;
  readonly groupFill: string;
  readonly groupStroke: string;
  readonly lineColor: string;
  readonly frameFill: string;
  /** Wires of what is hovered or selected. */
  readonly litWires: ReadonlySet<number>;
  readonly isFaded: (node: number) => boolean;
  /** Has the user a wish for this operator? */
  readonly isPinned: (op: number) => boolean;
  readonly groupNote: (node: number) => GroupNote;
  readonly wireLabel: (wire: number) => string;
  /** Nodes that the undrawn edges of a wire lead to. */
  readonly stubEnds: (wire: number) => readonly number[];
  /** Where this frame drew tags of stubs, for the pointer. */
  readonly tags: Tag[];
}

/** Two lines under a closed group's title: how much it holds and the shape that it gives; what it mostly holds. */
export interface GroupNote {
  readonly first: string;
  readonly second: string;
}

/** The label at one end of an edge that is not drawn, and the nodes at its other end. */
export interface Tag {
  readonly wire: number;
  readonly ends: readonly number[];
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Fonts {
  readonly type: string;
  readonly name: string;
  readonly shape: string;
  readonly badge: string;
  readonly frame: string;
}
