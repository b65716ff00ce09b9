import type { ElementType } from '../../graph/elementType';
import { product } from '../dim';
import { like, type Operation, type Output, type Outputs, type Rule, type Rules, tensor } from '../operation';
import type { Dim, ValueType } from '../types';

/** Rows of a feature matrix; a vector is one row. */
function rows(op: Operation): Dim {
  const shape = op.shape(0);
  return shape === undefined ? undefined : shape.length < 2 ? 1 : shape[0];
}

/** Labels are strings or integers, whichever list the attributes have. */
function labels(
  op: Operation,
  strings: string,
  integers: string,
): { type: ElementType; count: number | undefined } {
  const texts = op.strings(strings);
  const numbers = op.ints(integers);
  return texts?.length ? { type: 'string', count: texts.length } : { type: 'int64', count: numbers?.length };
}

function classifier(strings: string, integers: string): Rule {
  return (op): Outputs => {
    const { type, count } = labels(op, strings, integers);
    return [tensor(type, [rows(op)]), tensor('float32', [rows(op), count])];
  };
}

/** Without probabilities a support vector classifier may give one score per pair of classes. */
const svmClassifier: Rule = (op): Outputs => {
  const { type, count } = labels(op, 'classlabels_strings', 'classlabels_ints');
  const scores = op.floats('prob_a')?.length || count === 2 ? count : undefined;
  return [tensor(type, [rows(op)]), tensor('float32', [rows(op), scores])];
};

function regressor(targets: (op: Operation) => number | undefined): Rule {
  return (op) => [tensor('float32', [rows(op), targets(op)])];
}

/** Columns by index from a matrix; a vector counts as one row. */
const arrayFeatureExtractor: Rule = (op) => {
  const shape = op.shape(0);
  const indices = op.shape(1);
  const picked = indices && product(indices);
  if (shape === undefined) return [tensor(op.type(0), undefined)];
  return [tensor(op.type(0), shape.length === 1 ? [1, picked] : [...shape.slice(0, -1), picked])];
};

const featureVectorizer: Rule = (op) => {
  const widths = op.ints('inputdimensions');
  return [tensor('float32', [rows(op), widths?.reduce((sum, width) => sum + width, 0)])];
};

const oneHotEncoder: Rule = (op) => {
  const { count } = labels(op, 'cats_strings', 'cats_int64s');
  const shape = op.shape(0);
  return [tensor('float32', shape && [...shape, count])];
};

/** The type of the values that the attributes map to. */
const labelEncoder: Rule = (op) => {
  const lists: readonly (readonly [boolean, ElementType])[] = [
    [op.hasAttribute('values_strings'), 'string'],
    [op.hasAttribute('values_int64s'), 'int64'],
    [op.hasAttribute('values_floats'), 'float32'],
  ];
  const listed = lists.find(([given]) => given)?.[1] ?? op.tensor('values_tensor')?.type;
  const swapped = op.type(0) === 'string' ? 'int64' : 'string';
  return [like(op, 0, listed ?? swapped)];
};

const dictVectorizer: Rule = (op) => {
  const { count } = labels(op, 'string_vocabulary', 'int64_vocabulary');
  const map = op.inputs[0]?.type;
  const value = map?.kind === 'map' && map.value.kind === 'tensor' ? map.value.type : undefined;
  return [tensor(value, [1, count])];
};

const castMap: Rule = (op) => {
  const types: Record<string, ElementType> = { TO_FLOAT: 'float32', TO_STRING: 'string', TO_INT64: 'int64' };
  const dense = op.string('map_form', 'DENSE') === 'DENSE';
  return [tensor(types[op.string('cast_to', 'TO_FLOAT')], [1, dense ? undefined : op.int('max_map', 1)])];
};

/** A dictionary from label to score for every row. */
const zipMap: Rule = (op): readonly Output[] => {
  const keyType = op.strings('classlabels_strings')?.length ? 'string' : 'int64';
  const map: ValueType = { kind: 'map', keyType, value: { kind: 'tensor', type: 'float32', shape: [] } };
  return [{ type: { kind: 'sequence', element: map } }];
};

const treeEnsemble: Rule = (op) => [tensor(op.type(0), [rows(op), op.int('n_targets')])];

const swappedCategory: Rule = (op) => [like(op, 0, op.type(0) === 'string' ? 'int64' : 'string')];

export const classicalRules: Rules = {
  ArrayFeatureExtractor: arrayFeatureExtractor,
  Binarizer: (op) => [like(op, 0)],
  CastMap: castMap,
  CategoryMapper: swappedCategory,
  DictVectorizer: dictVectorizer,
  FeatureVectorizer: featureVectorizer,
  Imputer: (op) => [like(op, 0)],
  LabelEncoder: labelEncoder,
  LinearClassifier: classifier('classlabels_strings', 'classlabels_ints'),
  LinearRegressor: regressor((op) => op.int('targets', 1)),
  Normalizer: (op) => [like(op, 0, 'float32')],
  OneHotEncoder: oneHotEncoder,
  Scaler: (op) => [like(op, 0, 'float32')],
  SVMClassifier: svmClassifier,
  SVMRegressor: regressor(() => 1),
  TreeEnsemble: treeEnsemble,
  TreeEnsembleClassifier: classifier('classlabels_strings', 'classlabels_int64s'),
  TreeEnsembleRegressor: regressor((op) => op.int('n_targets')),
  ZipMap: zipMap,
};
