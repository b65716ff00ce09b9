import assert from 'node:assert/strict';
import { parseCluster } from '../../../src/core/cluster/parse';
import type { OrderMemory } from '../../../src/protocol/webview';
import { contentOf, tightest, type LifetimeFilter } from '../../../webview/lifetimes/content';
import { csvOf, jsonOf, modelExplorerData, netronAttachment } from '../../../webview/lifetimes/exportFiles';
import { livesAt } from '../../../webview/lifetimes/geometry';
import { pictureSvg } from '../../../webview/lifetimes/svg';
import { placesOf } from '../../../webview/lifetimes/places';
import { PlanIndex } from '../../../webview/plan/planIndex';
import { arrange, sectionOf } from '../../../webview/timeline/sections';
import {
  addDevice,
  bandwidthsAround,
  clusterOfDraft,
  draftOf,
  quantityText,
} from '../../../webview/whatIf/clusterDraft';
import { pinEntries, pinText } from '../../../webview/whatIf/pins';
import { assertGolden } from '../../support/golden';
import { plannedView } from '../../support/webview/plannedView';

const view = plannedView('overlapped');
const memory: OrderMemory = view.plan.view.memory;
const source = { graph: view.graph, memory, plan: view.plan, holdings: view.holdings };
const exported = { ...source, fileName: 'chain.onnx' };
const EVERYTHING: LifetimeFilter = { mode: 'map', kind: 'both', leastShare: 0, aliveAt: null, device: null };
const nanoseconds = (seconds: number): number => Math.round(seconds * 1e9);

describe('the timeline in two latency models', () => {
  const replay = view.model.replay();
  const other = new PlanIndex({ ...view.plan.view, ...replay }, view.graph);
  const sections = [sectionOf(view.plan, view.graph), sectionOf(other, view.graph)];

  it('is arranged as it was: lanes, events, critical paths', () => {
    const { rows, bands, leastHeight } = arrange(sections, 26, 492);
    assertGolden('timeline-lanes', {
      sections: sections.map(({ plan, lanes, critical, seconds }) => ({
        model: plan.plan.latency.model,
        nanoseconds: nanoseconds(seconds),
        lanes: lanes.map(({ kind, label, events }) => ({
          ...{ kind, label },
          events: [...events].map((i) => {
            const event = plan.plan.timeline[i];
            const times = [nanoseconds(event.start), nanoseconds(event.end)];
            return [event.kind, event.operator, ...times, critical.has(i) ? 'critical' : ''];
          }),
        })),
      })),
      rows: rows.map(({ lane, ...row }) => ({ label: lane.label, ...row })),
      ...{ bands, leastHeight },
    });
  });

  it('has no lane over another, and grows beyond the page rather than cut one off', () => {
    for (const height of [80, 300, 900]) {
      const { rows, leastHeight } = arrange(sections, 26, height);
      rows.slice(1).forEach((row, i) => {
        const above = rows[i];
        assert.ok(row.y >= above.y + above.height + above.memoryHeight);
      });
      const last = rows[rows.length - 1];
      assert.ok(last.y + last.height <= Math.max(height, leastHeight));
    }
  });

  it('has critical paths without holes, as long as the latency', () => {
    for (const { plan, critical, seconds } of sections) {
      const events = [...critical].map((i) => plan.plan.timeline[i]).sort((a, b) => a.start - b.start);
      assert.equal(events[0].start, 0);
      let until = 0;
      for (const { start, end } of events) {
        assert.ok(start <= until + 1e-9 || plan.plan.latency.model === 'synchronous');
        until = Math.max(until, end);
      }
      assert.equal(nanoseconds(until), nanoseconds(seconds));
    }
  });

  it('says how long devices wait and what is moved', () => {
    for (const { plan, waiting, movedBytes } of sections) {
      const { devices, latency, timeline } = plan.plan;
      const busy = devices.reduce((sum, { busySeconds }) => sum + busySeconds, 0);
      assert.ok(Math.abs(waiting - (1 - busy / devices.length / latency.seconds)) < 1e-9);
      const bytes = timeline.reduce((sum, event) => sum + (event.kind === 'transfer' ? event.bytes : 0), 0);
      assert.equal(movedBytes, bytes);
    }
  });

  it('goes between steps and times', () => {
    const span = view.plan.spanOf(1, 2)!;
    const back = view.plan.stepsWithin(span.from, span.to)!;
    assert.ok(back.from <= 1 && back.to >= 2);
    assert.equal(view.plan.spanOf(0, memory.operators.length)!.from, 0);
    assert.equal(view.plan.stepsWithin(-2, -1), null);
  });
});

describe('lifetimes as rectangles', () => {
  it('are where they were, in every mode', () => {
    const modes = ['map', 'area', 'gantt', 'devices'] as const;
    assertGolden(
      'lifetime-boxes',
      Object.fromEntries(
        modes.map((mode) => {
          const { axis, lanes } = contentOf(source, { ...EVERYTHING, mode });
          const place = (at: number): number => (axis === 'steps' ? at : nanoseconds(at));
          return [
            mode,
            lanes.map(({ device, base, limit, tiles, boxes }) => ({
              ...{ device, base, limit },
              tiles: tiles.map((tile) => {
                const name = view.graph.tensors.names[boxes[tile.box].tensor];
                return [name, place(tile.from), place(tile.to), tile.low, tile.high];
              }),
            })),
          ];
        }),
      ),
    );
  });

  it('of a device reach exactly its peak', () => {
    const { lanes } = contentOf(source, { ...EVERYTHING, mode: 'devices' });
    lanes.forEach(({ device, base, tiles }) => {
      const most = base + tiles.reduce((top, { high }) => Math.max(top, high), 0);
      assert.equal(most, view.plan.plan.devices[device].peakBytes);
    });
    assert.equal(tightest(lanes)!.lane.device, 0);
  });

  it('of the order reach the peak, and with weights the total', () => {
    const top = (kind: LifetimeFilter['kind']): number =>
      contentOf(source, { ...EVERYTHING, mode: 'area', kind }).lanes[0].most;
    assert.equal(top('activations'), memory.peakBytes);
    assert.equal(top('weights'), view.plan.plan.order.weightBytes);
    assert.equal(top('both'), memory.peakBytes + view.plan.plan.order.weightBytes);
  });

  it('are filtered by size, by what is alive, and by device', () => {
    const boxes = (filter: Partial<LifetimeFilter>): number =>
      contentOf(source, { ...EVERYTHING, kind: 'activations', ...filter }).lanes[0].boxes.length;
    assert.ok(boxes({ leastShare: 0.9 }) < boxes({}));
    const alive = contentOf(source, { ...EVERYTHING, kind: 'activations', aliveAt: memory.peakStep });
    assert.equal(
      alive.lanes[0].boxes.reduce((sum, { bytes }) => sum + bytes, 0),
      memory.peakBytes,
    );
    assert.equal(contentOf(source, { ...EVERYTHING, mode: 'devices', device: 1 }).lanes.length, 1);
    const held = new Set(view.holdings[1].storages);
    for (const box of contentOf(source, { ...EVERYTHING, kind: 'activations', device: 1 }).lanes[0].boxes)
      assert.ok(held.has(box.storage));
  });

  it('show the memory inside an operator, at its step and address, where it runs', () => {
    const { plan } = view.plan.view;
    const [first, ...others] = plan.operators;
    const body = { bytes: 128, offset: plan.order.arenaBytes };
    const operators = [{ ...first, body }, ...others];
    const cut = new PlanIndex({ ...view.plan.view, plan: { ...plan, operators } }, view.graph);
    const bodies = (filter: Partial<LifetimeFilter>): object[] =>
      contentOf(
        { ...source, plan: cut },
        { ...EVERYTHING, kind: 'activations', ...filter },
      ).lanes[0].boxes.filter(({ tensor }) => tensor === -1);
    const placed = { storage: -1, tensor: -1, from: first.step, to: first.step + 1, ...body };
    assert.deepEqual(bodies({}), [placed]);
    const runsOn = new Set(first.partition.shards.map(({ device }) => device));
    view.plan.deviceNames.forEach((name, device) =>
      assert.deepEqual(bodies({ device }), runsOn.has(name) ? [placed] : []),
    );
    const { steps } = JSON.parse(jsonOf({ ...exported, plan: cut })) as { steps: { body?: object }[] };
    assert.deepEqual(
      steps.map((step) => step.body),
      steps.map((_, step) => (step === first.step ? body : undefined)),
    );
  });

  it('are born and die once', () => {
    const all = Array.from(memory.operators, (_, step) => livesAt(view.graph, memory, step));
    const count = (of: 'born' | 'dying'): number => all.reduce((sum, lives) => sum + lives[of].length, 0);
    assert.equal(count('born'), new Set(view.graph.tensors.storages.filter((s) => s >= 0)).size);
    assert.equal(count('born'), count('dying'));
  });

  it('have lanes that do not overlap', () => {
    const places = placesOf(4, 500);
    places.slice(1).forEach(({ top }, i) => assert.ok(top > places[i].bottom));
    assert.ok(places[3].bottom < 500);
  });
});

describe('the shares of an operator', () => {
  it('lie along the axis, whichever device comes first and in whatever order the plan lists them', () => {
    const { plan } = view.plan.view;
    const operators = plan.operators.map((one) => {
      const [first, second] = one.partition.shards;
      if (second === undefined) return one;
      const shards = [
        { ...second, device: first.device },
        { ...first, device: second.device },
      ];
      return { ...one, partition: { ...one.partition, shards } };
    });
    const turned = new PlanIndex({ ...view.plan.view, plan: { ...plan, operators } }, view.graph);
    const split = view.graph.operators.types.findIndex((_, op) => turned.isSplit(op));
    assert.deepEqual(
      turned.shares(split).map(({ device, start, end }) => [device, start, end]),
      [
        [1, 0, 21],
        [0, 21, 32],
      ],
    );
  });
});

describe('lifetimes as files', () => {
  it('CSV: a line for each tensor, commas and quotes kept apart', () => {
    const lines = csvOf(exported).trimEnd().split('\r\n');
    assert.equal(lines.length, 1 + view.graph.tensors.names.length);
    assert.equal(lines[0].split(',')[4], 'bytes');
    const names = [...view.graph.tensors.names];
    names[0] = 'a, "b"';
    const graph = { ...view.graph, tensors: { ...view.graph.tensors, names } };
    assert.match(csvOf({ ...exported, graph }), /^"a, ""b""",/m);
  });

  it('JSON: the figures of the order, and every region with its device', () => {
    const { peakBytes, tensors, devices } = JSON.parse(jsonOf(exported)) as {
      peakBytes: number;
      tensors: unknown[];
      devices: { name: string; regions: { tensor: string; bytes: number }[] }[];
    };
    assert.equal(peakBytes, memory.peakBytes);
    assert.equal(tensors.length, view.graph.tensors.names.length);
    assert.deepEqual(
      devices.map(({ name, regions }) => [name, regions.length]),
      view.holdings.map(({ storages }, device) => [view.plan.deviceNames[device], storages.length]),
    );
  });

  it('Netron: every entry names a node or value of the model, once for each metric', () => {
    const { signature, metrics } = JSON.parse(netronAttachment(exported)) as {
      signature: string;
      metrics: { kind: string; target: string; name: string }[];
    };
    assert.equal(signature, 'netron:attachment');
    const targets: Record<string, readonly string[]> = {
      node: view.graph.operators.names,
      value: view.graph.tensors.names,
      model: [''],
    };
    for (const { kind, target } of metrics) assert.ok(targets[kind].includes(target), `${kind} ${target}`);
    const keys = metrics.map(({ kind, target, name }) => `${kind} ${target} ${name}`);
    assert.equal(new Set(keys).size, keys.length);
    assert.ok(metrics.some(({ kind }) => kind === 'value'));
  });

  it("Model Explorer: live memory by the name of each operator's output", () => {
    const { results } = JSON.parse(modelExplorerData(exported)) as {
      results: Record<string, { value: number }>;
    };
    const values = Object.values(results).map(({ value }) => value);
    assert.equal(values.length, memory.operators.length);
    assert.equal(Math.max(...values), memory.peakBytes);
  });

  it('SVG: a titled rectangle for each storage', () => {
    const content = contentOf(source, { ...EVERYTHING, mode: 'devices' });
    const theme = { background: '#fff', foreground: '#000', dim: '#555', error: '#c00' };
    const { names } = view.graph.tensors;
    const svg = pictureSvg(content, { theme, fill: () => '#07c', baseFill: '#888', names, plan: view.plan });
    const tiles = content.lanes.reduce((sum, lane) => sum + lane.tiles.length + (lane.base > 0 ? 1 : 0), 0);
    assert.equal(svg.match(/<title>/g)?.length, tiles);
    assert.match(svg, /stroke-dasharray/);
  });
});

describe('a what-if as a form', () => {
  const { cluster } = view.plan.plan;

  it('gives the same cluster when nobody touches it', () => {
    assert.deepEqual(parseCluster(clusterOfDraft(draftOf(cluster))), parseCluster(cluster));
  });

  it('changes, adds and drops devices, and sets links', () => {
    const draft = draftOf({ ...cluster, source: 'right' });
    draft.devices[0].isOn = false;
    draft.devices[1].memory = '3 MiB';
    addDevice(draft);
    draft.bandwidth = '100 Mbit/s';
    const link = { from: 'right', to: 'device 3', bandwidth: '5 Mbit/s', latency: '', origin: null };
    draft.links.push(link, { ...link, from: 'left' });
    const { devices, network } = parseCluster(clusterOfDraft(draft));
    assert.deepEqual(
      devices.map(({ name, memory: bytes }) => [name, bytes]),
      [
        ['right', 3 * 2 ** 20],
        ['device 3', 2 ** 20],
      ],
    );
    assert.equal(network.bandwidth, 12.5e6);
    assert.deepEqual(
      network.links.map(({ from, to, bandwidth }) => [from, to, bandwidth]),
      [[0, 1, 5e6 / 8]],
    );
  });

  it('writes quantities as a cluster file does', () => {
    assert.equal(quantityText(2 ** 31, 'bytes'), '2 GiB');
    assert.equal(quantityText(1.25e8, 'bandwidth'), '1 Gbit/s');
    assert.equal(quantityText(2e-4, 'time'), '200 us');
    assert.equal(quantityText(0, 'bytes'), '0 B');
  });

  it('sweeps around the bandwidth that there is', () => {
    assert.deepEqual(
      bandwidthsAround(1.25e8).map((value) => quantityText(value, 'bandwidth')),
      ['10 Mbit/s', '30 Mbit/s', '100 Mbit/s', '300 Mbit/s', '1 Gbit/s', '3 Gbit/s'],
    );
  });

  it('offers what an operator can be pinned to, and marks what it is', () => {
    const analysis = view.model.costAnalysis(0);
    const pinned: unknown[] = [];
    const entries = pinEntries(['left', 'right'], analysis, { device: 'right' }, (pin) => pinned.push(pin));
    const labels = entries.map(({ label }) => label);
    assert.ok(labels.includes('Keep on left') && labels.includes('✓ Keep on right'));
    assert.ok(labels.includes('Split by H, rows') && labels.includes('Remove the pin'));
    entries[0].chosen();
    assert.deepEqual(pinned, [{ device: 'left' }]);
    assert.equal(pinText({ device: 'left', dimension: 'none' }), 'on left, Whole');
  });
});
