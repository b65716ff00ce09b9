import { parseCluster } from '../core/cluster/parse';
import { SMART_HOME_FILE } from '../core/cluster/smartHome';
import type { Cluster } from '../core/cluster/cluster';
import { InputError } from '../core/graph/problem';
import type { Handlers } from '../protocol/rpc';
import type { ClusterSummary, HostToWorker } from '../protocol/worker';
import { exportModel } from './export';
import { OpenModel } from './openModel';
import { optimize, type Surroundings } from './optimize';
import { verify } from './verify';
import { sweep, whatIf } from './whatIf';

/** Answers of one worker: it holds at most one open model, which detail requests speak of. */
export function workerHandlers(surroundings: Surroundings): Handlers<HostToWorker> {
  let open: OpenModel | undefined;
  const model = (): OpenModel => {
    if (open === undefined) throw new InputError('No model is open.');
    return open;
  };
  return {
    requests: {
      open: (request) => {
        open = undefined;
        open = OpenModel.read(request);
        return open.state(request);
      },
      operatorDetails: ({ operator, graph }) => model().operatorDetails(operator, graph),
      tensorDetails: ({ tensor, graph }) => model().tensorDetails(tensor, graph),
      costAnalysis: ({ operator }) => model().costAnalysis(operator),
      body: ({ operator, graph, body }) => model().body(operator, graph, body),
      cluster: ({ text }) => summaryOf(parseCluster(text)),
      exampleCluster: () => ({
        text: `${JSON.stringify(SMART_HOME_FILE, undefined, 2)}\n`,
        summary: summaryOf(parseCluster(SMART_HOME_FILE)),
      }),
      replay: () => model().replay(),
      holdings: () => model().holdings(),
      showPlan: ({ text }) => model().showPlan(text),
      optimize: (request) => optimize(request, surroundings),
      whatIf: (request) => whatIf(request, surroundings),
      sweep: (request) => sweep(request, surroundings),
      verify: (request) => verify(request, surroundings.report),
      export: (request) => exportModel(request, surroundings.report),
    },
    notices: {},
  };
}

function summaryOf({ name, devices }: Cluster): ClusterSummary {
  return { name, devices: devices.map(({ name, memory, compute }) => ({ name, memory, compute })) };
}
