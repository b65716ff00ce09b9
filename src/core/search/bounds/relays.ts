/**
 * Relays: operators that hand on, element by element, what one other made (activations, normalisations). The
 * bounds leave them out: whatever their partition, a reader behind them must receive all that it needs and that the
 * maker before them did not compute on the reader's device, in one of the phases on the way, and these follow each
 * other. So for every path from a maker through relays to a reader
 *
 *     phases on the path  >=  least phase from the maker to the reader
 *
 * and their sum, each path with a share such that the shares of no phase exceed one, is at most that of all phases.
 */
import { NONE, type OperatorId, type StorageId } from '../../graph/units';
import { GATHER } from '../../latency/flow';
import type { Option } from './options';
import type { BoundScene } from './scene';

export interface Relays {
  /** Per step of the flow the step whose output it hands on, through other relays as well; `NONE` for all others. */
  readonly origins: readonly number[];
  /** Per storage that a relay makes and reader of it the share of the path that goes there. */
  readonly shares: ReadonlyMap<StorageId, readonly number[]>;
}

/**
 * @param options per step of the flow
 * @param isKept operators that are not to be left out
 */
export function findRelays(
  scene: BoundScene,
  options: readonly (readonly Option[])[],
  isKept: (operator: OperatorId) => boolean,
): Relays {
  const { flow } = scene;
  /** Per relay the storage that it hands on. */
  const handedOn = flow.steps.map((operator) => (isKept(operator) ? NONE : handedOnBy(scene, operator)));
  const origins = flow.steps.map(() => NONE);
  const shares = new Map<StorageId, number[]>();
  flow.steps.forEach((operator, step) => {
    if (handedOn[step] === NONE) return;
    const from = flow.stepOf[flow.storages[handedOn[step]].producer];
    origins[step] = origins[from] === NONE ? from : origins[from];
    const [made] = flow.operators[operator].makes;
    const { readers } = flow.storages[made];
    const own = shares.get(handedOn[step])?.[flow.storages[handedOn[step]].readers.indexOf(operator)] ?? 1;
    const widens = readers.map((reader) => hasHalo(scene, options, reader, made));
    const taken = widens.includes(true) ? widens : readers.map(() => true);
    const count = taken.filter(Boolean).length;
    shares.set(
      made,
      taken.map((isTaken) => (isTaken ? own / count : 0)),
    );
  });
  return { origins, shares };
}

/** The storage that the operator hands on; `NONE` where it is no relay. */
function handedOnBy(scene: BoundScene, operator: OperatorId): StorageId {
  const { flow, graph } = scene;
  const { isElementwise, type } = graph.operators[operator];
  const { reads, makes } = flow.operators[operator];
  if ((!isElementwise && type !== 'BatchNormalization') || makes.length !== 1) return NONE;
  if (reads.length !== 1) return NONE;
  const [made] = makes;
  const { readers } = flow.storages[made];
  if (readers.length === 0 || readers.includes(GATHER)) return NONE;
  // Behind a sum nothing would tie the operators to what is passed by them.
  if (readers.length > 1 && readers.some((reader) => isSum(scene, reader))) return NONE;
  const [{ storage }] = reads;
  const { producer } = flow.storages[storage];
  if (producer === NONE || flow.stepOf[producer] === NONE) return NONE;
  const isFirst = flow.operators[producer].makes[0] === storage;
  return isFirst && isSamePlace(scene, storage, made) ? storage : NONE;
}

function isSum({ flow, graph }: BoundScene, operator: OperatorId): boolean {
  return graph.operators[operator].isElementwise && flow.operators[operator].reads.length > 1;
}

/** Neighbours along some axis both need a part of the storage. */
function hasHalo(
  { flow }: BoundScene,
  options: readonly (readonly Option[])[],
  reader: OperatorId,
  storage: StorageId,
): boolean {
  const read = flow.operators[reader].reads.findIndex((candidate) => candidate.storage === storage);
  return options[flow.stepOf[reader]].some(({ needs }) => needs[read].axis >= 0 && needs[read].overlap > 0);
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
