import { like, type Outputs, type Rule, type Rules, scalar } from '../operation';
import { elementTypeOf } from './elementwise';

/** The zero point tells the type, else (opset 21) an attribute, else 8 bits unsigned. */
const quantize: Rule = (op) => {
  const written = op.int('output_dtype', 0);
  return [like(op, 0, op.type(2) ?? (written ? elementTypeOf(written, 'output_dtype') : 'uint8'))];
};

/** As precise as the scale, unless (opset 23) an attribute says otherwise. */
const dequantize: Rule = (op) => {
  const written = op.int('output_dtype', 0);
  return [like(op, 0, written ? elementTypeOf(written, 'output_dtype') : (op.type(1) ?? 'float32'))];
};

const dynamicQuantize: Rule = (op): Outputs => [like(op, 0, 'uint8'), scalar('float32'), scalar('uint8')];

export const quantizationRules: Rules = {
  DequantizeLinear: dequantize,
  DynamicQuantizeLinear: dynamicQuantize,
  QuantizeLinear: quantize,
};
