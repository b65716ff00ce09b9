import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onnx } from 'onnx-proto';
import { smartHome } from '../../../src/core/cluster/smartHome';
import { encodePlan, parsePlan } from '../../../src/core/plan/codec';
import type { Plan } from '../../../src/core/plan/plan';
import { analyzeFile, type Analysis } from '../../../src/engine/analyze';
import { fullReport } from '../../../src/engine/checkPlan';
import { ModelBuilder } from '../../../src/engine/example/modelBuilder';
import { DEFAULT_OPTIMIZE_OPTIONS, optimizeModel } from '../../../src/engine/optimize';
import { isCurrent } from '../../../src/engine/planFile';
import { freeControl } from '../../support/control';
import { node, onnxFile, value } from '../../support/onnxFile';
import { inTemporaryFolder } from '../../support/temporary';

type Path = readonly (string | number)[];
type Json = Record<string, unknown>;

/** What may be forged without a word becoming false, and why. */
const HARMLESS: readonly (readonly [RegExp, string])[] = [
  [/^model\.(file|sha256)$/, 'labels: the structure and the size decide'],
  [/^cluster\.name$/, 'a label'],
  [/^options\.(seed|evaluations)$/, 'how the plan was found; it is judged by itself'],
  [/^devices\.\d+\.peakStep$/, 'another step where as much is held'],
  [/^latency\.lowerBoundSeconds$/, 'a weaker bound holds too'],
  [/^latency\.boundCertificate\./, 'other shares that prove as much'],
  [/^latency\.baselinePartitions\./, 'another plan of the opponent with the same figures'],
];

/** Convolutions with a branch: cut, exchanged, and one part whole. */
function smallModel(): Uint8Array {
  const net = new ModelBuilder('small');
  const a = net.convolution(net.input('x', [1, 4, 40, 40]), [4, 16], 3);
  const b = net.convolution(a, [16, 16], 3);
  net.node('Add', [b, net.node('Relu', [a])], {}, 'sum', ['y']);
  net.output('y', [1, 16, 40, 40]);
  return net.build();
}

/** Leaves of a plan; of lists and of baselines the first and the last. */
function leaves(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  if (!Array.isArray(value)) {
    const fields = Object.entries(value);
    const taken = path[path.length - 1] === 'baselines' ? [fields[0], fields[fields.length - 1]] : fields;
    return taken.flatMap(([name, item]) => leaves(item, [...path, name]));
  }
  const ends = [...new Set([0, value.length - 1])].filter((at) => at >= 0 && at < value.length);
  return [...(value.length > 0 ? [path] : []), ...ends.flatMap((at) => leaves(value[at], [...path, at]))];
}

function at(plan: unknown, path: Path): unknown {
  return path.reduce<unknown>((inside, name) => (inside as Json)[name], plan);
}

function forgeries(value: unknown): unknown[] {
  if (Array.isArray(value)) return [value.slice(1), [...(value as unknown[]), value[0]]];
  if (typeof value === 'number') return value > 0 ? [2 * value + 1, value / 2] : [value + 1];
  return typeof value === 'boolean' ? [!value] : [`${String(value)}x`];
}

/** One operator with little memory inside, which lies above all tensors. */
function branchedModel(): Uint8Array {
  const branch = (name: string): onnx.IGraphProto => ({
    name,
    node: [node('ReduceMax', 'x', `${name}_a`), node('Neg', `${name}_a`, `${name}_b`)],
    output: [value(`${name}_b`, [1])],
  });
  return onnxFile({
    input: [value('p', [], onnx.TensorProto.DataType.BOOL), value('x', [50])],
    output: [value('y', [1])],
    node: [node('If', 'p', 'y', { then_branch: branch('then'), else_branch: branch('else') })],
  });
}

describe('a plan of a model with memory inside an operator', () => {
  it('says where in the arena, and holds', () =>
    inTemporaryFolder(async (folder) => {
      const modelPath = join(folder, 'branched.onnx');
      writeFileSync(modelPath, branchedModel());
      const analysis = analyzeFile(modelPath, { bindings: new Map(), fuse: 'none' });
      const options = { ...DEFAULT_OPTIMIZE_OPTIONS, evaluations: 100 };
      const plan = await optimizeModel({ modelPath, analysis, cluster: smartHome(), options }, freeControl());
      const [{ body }] = plan.operators;
      assert.equal(body!.bytes, analysis.graph.operators[0].bodyPeak.bytes);
      assert.ok(plan.tensors.every(({ offset, bytes }) => offset + bytes <= body!.offset));
      assert.deepEqual(fullReport(analysis.graph, parsePlan(encodePlan(plan))).violations, []);
    }));
});

describe('a plan of which one field is forged', () => {
  let folder = '';
  let path = '';
  let analysis: Analysis;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'memorianova-'));
    path = join(folder, 'small.onnx');
    writeFileSync(path, smallModel());
    analysis = analyzeFile(path, { bindings: new Map(), fuse: 'none' });
  });
  after(() => rmSync(folder, { recursive: true }));

  function refusal(draft: unknown): string | undefined {
    let plan: Plan;
    try {
      plan = parsePlan(JSON.stringify(draft));
    } catch (error) {
      assert.equal((error as Error).name, 'InputError');
      return (error as Error).message;
    }
    if (!isCurrent(plan, analysis.model)) return 'made for another model';
    const { graph } = analyzeFile(path, {
      bindings: new Map(Object.entries(plan.model.bindings)),
      fuse: plan.options.fuse,
    });
    const { valid, violations } = fullReport(graph, plan);
    return valid ? undefined : violations[0].message;
  }

  it('is refused, or nothing that it says is false', async function () {
    this.timeout(120_000);
    const home = smartHome();
    const options = { ...DEFAULT_OPTIMIZE_OPTIONS, evaluations: 400 };
    const network = {
      ...home.network,
      bandwidth: 1e9,
      latency: 1e-5,
      links: home.network.links.slice(0, 1),
    };
    const cluster = { ...home, network };
    const plan = await optimizeModel({ modelPath: path, analysis, cluster, options }, freeControl());
    assert.equal(refusal(plan), undefined);
    assert.ok(plan.operators.some(({ partition }) => partition.shards.length > 1));
    let refused = 0;
    for (const leaf of leaves(plan)) {
      for (const forged of forgeries(at(plan, leaf))) {
        const draft = structuredClone(plan);
        (at(draft, leaf.slice(0, -1)) as Json)[leaf[leaf.length - 1]] = forged;
        if (refusal(draft) !== undefined) refused++;
        else
          assert.ok(
            HARMLESS.some(([field]) => field.test(leaf.join('.'))),
            `${leaf.join('.')}: ${JSON.stringify(forged)}`,
          );
      }
    }
    assert.ok(refused > 200, String(refused));
  });
});
