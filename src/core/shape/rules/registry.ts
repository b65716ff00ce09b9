import type { Rule, Rules } from '../operation';
import { attentionRules, previewRules } from './attention';
import { classicalRules } from './classical';
import { controlRules } from './control';
import { convolutionRules } from './convolution';
import { elementwiseRules } from './elementwise';
import { generatorRules } from './generators';
import { imageRules } from './image';
import { indexingRules } from './indexing';
import { joiningRules } from './joining';
import { lossRules, trainingRules } from './losses';
import { matMulRules } from './matmul';
import { microsoftRules, quantRules } from './microsoft';
import { normalisationRules } from './normalisation';
import { poolingRules } from './pooling';
import { quantizationRules } from './quantization';
import { recurrentRules } from './recurrent';
import { reductionRules } from './reduction';
import { reshapingRules } from './reshaping';
import { sequenceRules } from './sequence';
import { signalRules } from './signal';
import { textRules } from './text';

const BY_DOMAIN: Readonly<Record<string, readonly Rules[]>> = {
  '': [
    attentionRules,
    controlRules,
    convolutionRules,
    elementwiseRules,
    generatorRules,
    imageRules,
    indexingRules,
    joiningRules,
    lossRules,
    matMulRules,
    normalisationRules,
    poolingRules,
    quantizationRules,
    recurrentRules,
    reductionRules,
    reshapingRules,
    sequenceRules,
    signalRules,
    textRules,
    { SimplifiedLayerNormalization: microsoftRules['SimplifiedLayerNormalization'] },
  ],
  'ai.onnx.ml': [classicalRules],
  'ai.onnx.preview': [previewRules],
  'ai.onnx.preview.training': [trainingRules],
  'ai.onnx.training': [trainingRules],
  'com.microsoft': [microsoftRules],
  'onnx.brevitas': [quantRules],
  'qonnx.custom_op.general': [quantRules],
};

const RULES = new Map<string, ReadonlyMap<string, Rule>>(
  Object.entries(BY_DOMAIN).map(([domain, families]) => [
    domain,
    new Map(families.flatMap((rules) => Object.entries(rules))),
  ]),
);

/** The rule of an operator, or `undefined` for one that is not known here. */
export function ruleOf(domain: string, type: string): Rule | undefined {
  return RULES.get(domain)?.get(type);
}

/** Domain and type of every operator with a rule, sorted. */
export function knownOperators(): { readonly domain: string; readonly type: string }[] {
  return [...RULES].flatMap(([domain, rules]) => [...rules.keys()].sort().map((type) => ({ domain, type })));
}
