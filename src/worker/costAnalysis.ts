import type { Cluster } from '../core/cluster/cluster';
import type { Graph } from '../core/graph/graph';
import type { OperatorId } from '../core/graph/units';
import { OperatorAnalyzer, type Alternative } from '../core/latency/analyze';
import { partitionRules } from '../core/partition/rules';
import type { CostAlternative, CostAnalysis } from '../protocol/webview';

/** The memory-time cost analysis of a model's operators on one cluster, made when first asked for. */
export class CostAnalyzer {
  private readonly analyzer: OperatorAnalyzer;

  constructor(
    graph: Graph,
    private readonly cluster: Cluster,
  ) {
    this.analyzer = new OperatorAnalyzer(graph, partitionRules(graph), cluster);
  }

  analyze(operator: OperatorId): CostAnalysis {
    const { alternatives, cheapest } = this.analyzer.analyze(operator);
    return {
      cluster: this.cluster.name,
      alternatives: alternatives.map((alternative) => this.alternative(alternative)),
      cheapest,
    };
  }

  private alternative(found: Alternative): CostAlternative {
    return {
      dimension: found.dimension,
      axis: found.axis,
      shares: found.shares.length,
      seconds: found.totalNs / 1e9,
      computeSeconds: found.computeNs / 1e9,
      transferSeconds: found.trafficNs / 1e9,
      trafficBytes: found.trafficBytes,
      devices: found.shares.map((share) => ({
        device: this.cluster.devices[share.device].name,
        start: share.start,
        end: share.end,
        computeSeconds: share.computeNs / 1e9,
        weightBytes: share.weightBytes,
        inputBytes: share.inputBytes,
        haloBytes: share.haloBytes,
        outputBytes: share.outputBytes,
      })),
    };
  }
}
