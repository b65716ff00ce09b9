import type { Random } from '../../src/core/graph/random';
import type { ToyGraph, ToyOperator } from './toyGraph';

/**
 * A small random graph with everything that orders must get right: several outputs, unused ones, views,
 * elementwise operators of equal sizes, bodies, graph outputs that are also read, unread inputs, empty tensors.
 */
export function randomToy(random: Random, operatorCount: number): ToyGraph {
  const sizes = [0, 1, 64, 64, 64, 100, 128, 128, 192, 300];
  const bytesOf = new Map<string, number>();
  const inputs: Record<string, number> = {};
  for (let i = 0; i <= random.below(3); i++)
    bytesOf.set(`in${i}`, (inputs[`in${i}`] = sizes[random.below(sizes.length)]));
  const weights = { w0: 128, w1: 64 };
  const operators: ToyOperator[] = [];
  const reach = 2 + random.below(8);
  for (let i = 0; i < operatorCount; i++) {
    const names = [...bytesOf.keys()];
    const pick = (): string =>
      names[Math.max(0, names.length - 1 - random.below(Math.min(names.length, reach)))];
    const read = Array.from({ length: 1 + random.below(3) }, pick);
    const kind = random.next();
    const outputs: Record<string, number> = {};
    if (kind < 0.12) outputs[`t${i}`] = bytesOf.get(read[0]) ?? 0;
    else if (kind < 0.45) outputs[`t${i}`] = bytesOf.get(read[random.below(read.length)]) ?? 0;
    else
      for (let k = 0; k <= Math.max(0, random.below(4) - 1); k++)
        outputs[`t${i}_${k}`] = sizes[random.below(sizes.length)];
    if (random.next() < 0.2) read.push(random.next() < 0.5 ? 'w0' : 'w1');
    operators.push({
      inputs: read,
      outputs,
      isView: kind < 0.12,
      isElementwise: kind >= 0.12 && kind < 0.5,
      bodyPeak: random.next() < 0.1 ? 64 * random.below(6) : 0,
    });
    for (const [name, bytes] of Object.entries(outputs)) bytesOf.set(name, bytes);
  }
  const names = [...bytesOf.keys()].filter((name) => name.startsWith('t'));
  const outputs = names.filter((_, at) => at === names.length - 1 || random.next() < 0.12);
  return { inputs, weights, operators, outputs };
}
