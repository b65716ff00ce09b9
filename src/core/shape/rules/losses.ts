import { like, type Operation, type Outputs, type Rule, type Rules, RuleError, tensor } from '../operation';

/** One value, or with `reduction` none one per target. */
function lossShape(op: Operation) {
  return op.string('reduction', 'mean') === 'none' ? op.shape(1) : [];
}

/** Optimizers: two scalars, then groups of `kinds` tensors per parameter; the results are like the last groups' inputs. */
function optimizer(kinds: number, results: readonly number[]): Rule {
  return (op): Outputs => {
    const parameters = (op.inputs.length - 2) / kinds;
    if (!Number.isInteger(parameters))
      throw new RuleError(`it has ${op.inputs.length} inputs, not 2 + n * ${kinds}`);
    return results.flatMap((kind) =>
      Array.from({ length: parameters }, (_, one) => like(op, 2 + kind * parameters + one)),
    );
  };
}

export const lossRules: Rules = {
  NegativeLogLikelihoodLoss: (op) => [tensor(op.type(0), lossShape(op))],
  SoftmaxCrossEntropyLoss: (op) => [tensor(op.type(0), lossShape(op)), like(op, 0)],
};

/** Inputs per parameter: value, gradient, then the moments; results: value, then the moments. */
export const trainingRules: Rules = {
  Adagrad: optimizer(3, [0, 2]),
  Adam: optimizer(4, [0, 2, 3]),
  Gradient: (op) => (op.strings('xs') ?? []).map((_, one) => like(op, one)),
  Momentum: optimizer(3, [0, 2]),
};
