import { broadcast } from '../broadcast';
import { like, type Outputs, type Rule, type Rules, tensor } from '../operation';

/** Dropping stop words changes the count with the data; a result without words is one empty string. */
const normalizer: Rule = (op) => {
  const shape = op.shape(0);
  const drops = (op.strings('stopwords') ?? []).length > 0;
  return [
    tensor(
      'string',
      drops ? shape?.map((dim, axis) => (axis === shape.length - 1 ? undefined : dim)) : shape,
    ),
  ];
};

/** As many columns as the longest text has parts. */
const splitter: Rule = (op): Outputs => {
  const shape = op.shape(0);
  return [tensor('string', shape && [...shape, undefined]), like(op, 0, 'int64')];
};

/** One column per n-gram that is counted. */
const tfIdf: Rule = (op) => {
  const indexes = op.ints('ngram_indexes');
  const columns = indexes?.reduce((most, index) => Math.max(most, index + 1), 0);
  const shape = op.shape(0);
  return [tensor('float32', shape && [...shape.slice(0, -1), columns])];
};

export const textRules: Rules = {
  RegexFullMatch: (op) => [like(op, 0, 'bool')],
  StringConcat: (op) => [tensor('string', broadcast([op.shape(0), op.shape(1)]))],
  StringNormalizer: normalizer,
  StringSplit: splitter,
  TfIdfVectorizer: tfIdf,
};
