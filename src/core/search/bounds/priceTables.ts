/**
 * What the lengths of an operator cost by the prices of memory and of what devices lack: a shard pays for the weights
 * and activations that it holds and for what it needs of every storage, and is paid for what it holds of what it makes.
 */
import type { DeviceId, Nanoseconds, OperatorId } from '../../graph/units';
import type { Option } from './options';
import { entryAt, weightPrices, type MemoryPrices, type MixedLength, type PriceTables } from './pricedStep';

/** One storage that an option needs or makes, with a price per device of an element that it lacks. */
interface Priced {
  readonly read: number;
  readonly make: number;
  readonly prices: ArrayLike<Nanoseconds>;
}

export function priceTables(
  operator: OperatorId,
  option: Option,
  memory: MemoryPrices | undefined,
  into: readonly Priced[],
  outOf: readonly Priced[],
): PriceTables {
  const tables = option.computeNs.map(() => new Float64Array(option.length + 1));
  if (memory !== undefined) addMemory(tables, option, memory, operator);
  for (const { read, prices } of into) {
    const { atEnd } = option.needs[read];
    tables.forEach((table, d) => {
      if (prices[d] > 0) for (let n = 0; n < table.length; n++) table[n] += prices[d] * atEnd[n];
    });
  }
  for (const { make, prices } of outOf) {
    const { most } = option.makes[make];
    tables.forEach((table, d) => {
      if (prices[d] === 0) return;
      const sum = d === option.device ? most[option.length] : 0;
      for (let n = 0; n < table.length; n++) table[n] -= prices[d] * (option.isReduced ? sum : most[n]);
    });
  }
  return tables;
}

function addMemory(
  tables: readonly Float64Array[],
  option: Option,
  memory: MemoryPrices,
  operator: OperatorId,
): void {
  const weights = weightPrices(memory);
  const step = memory.steps.find((own) => own.operator === operator);
  tables.forEach((table, d) => {
    const beside = d === option.device ? option.reducedBytes : 0;
    const own = step === undefined ? 0 : step.prices[d];
    for (let n = 0; n < table.length; n++)
      table[n] += weights[d] * option.weightBytes[n] + own * (option.activationBytes[n] + beside);
  });
}

/** Elements that a device holds at most; a sum lies whole on its device. */
export function heldBy(option: Option, make: number, device: DeviceId, length: MixedLength): number {
  const { most } = option.makes[make];
  if (option.isReduced) return device === option.device ? most[option.length] : 0;
  return entryAt(most, length);
}
