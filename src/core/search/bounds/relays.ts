/**
 * Relays: operators that do no more than hand on, element by element, what one operator made for them alone
 * (an activation or a normalisation behind a convolution), for one reader. The bounds leave them out: whatever their partition,
 * the reader behind them must receive all that it needs and that the maker before them did not compute on the
 * reader's device, in one of the phases on the way, and these follow each other.
 */
import { NONE, type StorageId } from '../../graph/units';
import { GATHER } from '../../latency/flow';
import type { BoundScene } from './scene';

/** Per step of the flow the step whose output it hands on, through other relays as well; `NONE` for all others. */
export function relayedSteps(scene: BoundScene): number[] {
  const { flow, graph } = scene;
  const origin = flow.steps.map(() => NONE);
  flow.steps.forEach((operator, step) => {
    const { isElementwise, type } = graph.operators[operator];
    const { reads, makes } = flow.operators[operator];
    if (!isElementwise && type !== 'BatchNormalization') return;
    if (reads.length !== 1 || makes.length !== 1) return;
    const [{ storage: read }] = reads;
    const { producer, readers } = flow.storages[read];
    if (producer === NONE || readers.length !== 1 || readers[0] === GATHER) return;
    const from = flow.stepOf[producer];
    if (from === NONE || flow.operators[producer].makes[0] !== read) return;
    // Several readers may share what one phase brought to the relay.
    if (flow.storages[makes[0]].readers.length !== 1) return;
    if (isSamePlace(scene, read, makes[0])) origin[step] = origin[from] === NONE ? from : origin[from];
  });
  return origin;
}

/** Elements of equal position are as large and lie along the same axes. */
function isSamePlace(scene: BoundScene, a: StorageId, b: StorageId): boolean {
  const { graph } = scene;
  const [x, y] = [scene.space(a), scene.space(b)];
  return (
    x.size === y.size &&
    x.factors.length === y.factors.length &&
    x.factors.every((factor, i) => factor === y.factors[i]) &&
    graph.storages[a].bytes === graph.storages[b].bytes
  );
}
