/**
 * Relays: operators that the bounds leave out, but for their least step, since little depends on their partition.
 * Whatever that is, a reader behind them must receive what it needs of what the maker before them made elsewhere, as it is
 * or as what a relay makes of it (`lineage.ts`), in one of the phases on the way, and these follow each other. So for every
 * path from a maker through relays to a reader
 *
 *     phases on the path  >=  least phase from the maker to the reader
 *
 * and their sum, each path with a share such that the shares of no phase exceed one, is at most that of all phases.
 *
 * Relays are what works element by element, and transpositions, depthwise convolutions and pooling where these cost
 * little. Joins (sums, concatenations) tie what comes to what goes on in several ways, of which relays keep one
 * for each: that loses something, but the elimination goes far faster, so both are worth a try.
 */
import { NONE, type Nanoseconds, type OperatorId, type StorageId } from '../../graph/units';
import { GATHER } from '../../latency/flow';
import { isElementByElement } from './alikeTensors';
import { leastSlowest } from './leastSlowest';
import { rootBox } from './lengthBox';
import type { NeedTable } from './lengthTables';
import { isUnchanged, leastShare, lineageOf, needBehind, type Lineage } from './lineage';
import type { Option } from './options';
import type { PhaseLinks } from './phaseLinks';
import type { BoundScene } from './scene';

/** From a maker through relays to a reader. */
export interface RelayPath {
  /** What the maker makes; its first storage. */
  readonly origin: StorageId;
  /** Of those relays on the way that change anything, the last first. */
  readonly lineages: readonly Lineage[];
  /** Of the phases on the way. */
  readonly share: number;
}

export interface Relays {
  /** Per step of the flow. */
  readonly isRelay: readonly boolean[];
  /** Per storage that a relay makes and reader of it; none where nothing ties that reader to what came before. */
  readonly paths: ReadonlyMap<StorageId, readonly (readonly RelayPath[])[]>;
}

/** More relays in a row than that are not left out, so that paths stay short. */
const MOST_LINEAGES = 8;

/**
 * @param options per step of the flow
 * @param isKept operators that are not to be left out
 * @param areJoinsRelays sums and concatenations are left out as well
 */
export function findRelays(
  scene: BoundScene,
  options: readonly (readonly Option[])[],
  isKept: (operator: OperatorId) => boolean,
  areJoinsRelays: boolean,
  links: PhaseLinks,
): Relays {
  const { flow, graph } = scene;
  const paths = new Map<StorageId, readonly (readonly RelayPath[])[]>();
  const isJoin = (operator: OperatorId): boolean => flow.operators[operator].reads.length > 1;
  const isRelay = flow.steps.map((operator, step) => {
    const { makes } = flow.operators[operator];
    if (isKept(operator) || makes.length !== 1 || (isJoin(operator) && !areJoinsRelays)) return false;
    const [made] = makes;
    const { readers } = flow.storages[made];
    if (readers.length === 0 || readers.includes(GATHER)) return false;
    if (!isElementByElement(graph, operator) && !isLight(scene, operator, options[step], links)) return false;
    // Behind a sum nothing would tie the operators to what is passed by them.
    const isSum = (reader: OperatorId): boolean => graph.operators[reader].isElementwise && isJoin(reader);
    if (!areJoinsRelays && readers.length > 1 && readers.some(isSum)) return false;
    const coming = pathsInto(scene, options[step], operator, paths);
    const going = pathsOutOf(scene, options, made, coming, isJoin(operator));
    if (going === undefined) return false;
    paths.set(made, going);
    return true;
  });
  return { isRelay, paths };
}

/** Paths that end with the operator, of all that it reads. */
function pathsInto(
  scene: BoundScene,
  options: readonly Option[],
  operator: OperatorId,
  paths: Relays['paths'],
): RelayPath[] {
  const { flow } = scene;
  return flow.operators[operator].reads.flatMap(({ storage }, position): RelayPath[] => {
    const { producer, readers } = flow.storages[storage];
    if (producer === NONE || flow.stepOf[producer] === NONE) return [];
    const lineage = lineageOf(scene, operator, options, position);
    if (lineage === undefined) return [];
    const own = isUnchanged(lineage) ? [] : [lineage];
    const before = paths.get(storage);
    if (before === undefined) {
      const isFirst = flow.operators[producer].makes[0] === storage;
      return isFirst ? [{ origin: storage, lineages: own, share: 1 }] : [];
    }
    return before[readers.indexOf(operator)]
      .map((path) => ({ ...path, lineages: [...own, ...path.lineages] }))
      .filter(({ lineages }) => lineages.length <= MOST_LINEAGES);
  });
}

/**
 * Which path goes on to which reader: the latest maker's first to where halos are needed, one to each reader. A path that goes
 * to several is shared by those that need halos, or by all if none does.
 *
 * @param isJoin some readers are left without a path in any case
 * @returns `undefined` where one would lose its only path, since what it needs of the maker is not known
 */
function pathsOutOf(
  scene: BoundScene,
  options: readonly (readonly Option[])[],
  made: StorageId,
  coming: readonly RelayPath[],
  isJoin: boolean,
): RelayPath[][] | undefined {
  const { flow } = scene;
  const { readers } = flow.storages[made];
  const stepOf = ({ origin }: RelayPath): number => flow.stepOf[flow.storages[origin].producer];
  const paths = [...coming].sort((a, b) => stepOf(b) - stepOf(a));
  const facts = readers.map((reader) => {
    const position = flow.operators[reader].reads.findIndex(({ storage }) => storage === made);
    const needs = paths.map(({ lineages }) =>
      options[flow.stepOf[reader]].map((option) => needAtOrigin(option.needs[position], lineages)),
    );
    return {
      isKnown: needs.map((own) => own.every((need) => need !== undefined)),
      widens: needs.flat().some((need) => need !== undefined && need.axis >= 0 && need.overlap > 0),
    };
  });
  const ranked = [...readers.keys()].sort((a, b) => Number(facts[b].widens) - Number(facts[a].widens));
  const readersOf = paths.map((): number[] => []);
  ranked.forEach((reader, rank) => {
    const turns = paths.map((_, k) => (rank + k) % paths.length);
    const at = turns.find((path) => facts[reader].isKnown[path]);
    if (at !== undefined) readersOf[at].push(reader);
  });
  const tied = readersOf.reduce((sum, own) => sum + own.length, 0);
  if (tied === 0 || (!isJoin && tied < readers.length)) return undefined;
  const going = readers.map((): RelayPath[] => []);
  paths.forEach((path, at) => {
    const widening = readersOf[at].filter((reader) => facts[reader].widens);
    const taken = widening.length > 0 ? widening : readersOf[at];
    for (const reader of taken) going[reader].push({ ...path, share: path.share / taken.length });
  });
  return going;
}

/** What a reader needs of what the maker makes, given what it needs of what the last relay makes. */
export function needAtOrigin(need: NeedTable, lineages: readonly Lineage[]): NeedTable | undefined {
  let found: NeedTable | undefined = need;
  for (const lineage of lineages) found &&= needBehind(found, lineage);
  return found;
}

/**
 * Leaving it out costs the bound no more than a message: of its step, of its halos, and of what it makes less of. Where
 * it cannot be split what it makes must go to other devices.
 */
function isLight(
  scene: BoundScene,
  operator: OperatorId,
  options: readonly Option[],
  { leastLatency, leastNsPerByte }: PhaseLinks,
): boolean {
  const { cluster, flow, graph } = scene;
  if (!isSplitAnywhere(scene, operator)) return false;
  const { reads } = flow.operators[operator];
  const whole = Math.min(...cluster.devices.map((_, d) => options[d].computeNs[d][1]));
  const left = leastLatency - (whole - leastStep(scene, options));
  if (left < 0) return false;
  const bytes = reads.map(({ storage }, position) => {
    const shared = options.map(({ needs }) => needs[position].mostOverlap).filter(Number.isFinite);
    const halo = Math.max(0, ...shared) * scene.elementBytes(storage);
    if (reads.length > 1) return halo;
    const lineage = lineageOf(scene, operator, options, position);
    const share = lineage === undefined ? 0 : leastShare(lineage);
    return halo + ((1 - share) * (graph.storages[storage].bytes ?? 0)) / cluster.devices.length;
  });
  return Math.max(...bytes) * leastNsPerByte <= left;
}

/** Along every axis of what it makes. */
function isSplitAnywhere({ graph, rules }: BoundScene, operator: OperatorId): boolean {
  const { shape } = graph.tensors[graph.operators[operator].outputs[0]];
  const splits = rules.splits(operator).filter(({ dimension }) => dimension !== 'K');
  return shape?.every((length, cut) => length === 1 || splits.some(({ axis }) => axis === cut)) === true;
}

/** In any partition. */
export function leastStep({ cluster }: BoundScene, options: readonly Option[]): Nanoseconds {
  const anywhere = cluster.devices.map(() => Infinity);
  return Math.min(...options.map((option, i) => leastSlowest(option, rootBox(option, i, anywhere))));
}
