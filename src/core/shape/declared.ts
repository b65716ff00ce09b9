import type { DeclaredType } from '../onnx/model';
import { sizeOf } from './dim';
import type { Dim, ValueType } from './types';

/** Our type with what only the declaration knows, and the first contradiction between the two. */
export interface Reconciled {
  readonly type: ValueType;
  readonly contradiction?: string;
}

/** The usual case, told without work: a tensor of the same type, every size known and none declared otherwise. */
export function saysNothingNew(ours: ValueType, declared: DeclaredType): boolean {
  if (ours.kind !== 'tensor' || declared.kind !== 'tensor' || ours.type !== declared.type) return false;
  const { shape } = ours;
  const claim = declared.shape;
  if (shape === undefined || claim === undefined || shape.length !== claim.length) return false;
  return shape.every(
    (dim, axis) => dim === claim[axis] || (typeof dim === 'number' && typeof claim[axis] !== 'number'),
  );
}

/** Ours wins where both say something; a dimension of ours that depends on a free name gives way to a number. */
export function reconcile(ours: ValueType | undefined, declared: ValueType): Reconciled {
  if (ours === undefined || ours.kind === 'unknown') return { type: declared };
  if (declared.kind === 'unknown') return { type: ours };
  if (isTensor(ours) && isTensor(declared)) return reconcileTensors(ours, declared);
  if (ours.kind !== declared.kind)
    return {
      type: ours,
      contradiction: `declared as ${article(declared.kind)} but computed as ${article(ours.kind)}`,
    };
  if (ours.kind === 'sequence' || ours.kind === 'optional')
    return reconcileElements(ours, (declared as typeof ours).element);
  return { type: ours };
}

/** Elements of a sequence may differ: a shape that we do not know may be none that all share. */
function reconcileElements(
  ours: Extract<ValueType, { element: ValueType }>,
  declared: ValueType,
): Reconciled {
  const mayDiffer =
    isTensor(ours.element) && ours.element.shape === undefined && ours.element.type !== undefined;
  const element = mayDiffer ? { type: ours.element } : reconcile(ours.element, declared);
  return { type: { kind: ours.kind, element: element.type }, contradiction: element.contradiction };
}

type TensorType = Extract<ValueType, { kind: 'tensor' | 'sparse' }>;

function isTensor(type: ValueType): type is TensorType {
  return type.kind === 'tensor' || type.kind === 'sparse';
}

function article(kind: string): string {
  return /^[aeiou]/.test(kind) ? `an ${kind}` : `a ${kind}`;
}

function reconcileTensors(ours: TensorType, declared: TensorType): Reconciled {
  const type = ours.type ?? declared.type;
  const wrongType =
    ours.type !== undefined && declared.type !== undefined && ours.type !== declared.type
      ? `declared as ${declared.type} but computed as ${ours.type}`
      : undefined;
  if (ours.shape === undefined || declared.shape === undefined)
    return { type: { kind: ours.kind, type, shape: ours.shape ?? declared.shape }, contradiction: wrongType };
  if (
    ours.shape.length !== declared.shape.length ||
    ours.shape.some((dim, axis) => differs(dim, declared.shape![axis]))
  )
    return {
      type: { kind: ours.kind, type, shape: ours.shape },
      contradiction:
        wrongType ?? `declared with shape ${text(declared.shape)} but computed as ${text(ours.shape)}`,
    };
  const shape = ours.shape.map((dim, axis) =>
    sizeOf(dim) === undefined ? better(dim, declared.shape![axis]) : dim,
  );
  return { type: { kind: ours.kind, type, shape }, contradiction: wrongType };
}

/** Only written numbers contradict: a name's default is no claim of the file. */
function differs(ours: Dim, declared: Dim): boolean {
  return typeof ours === 'number' && typeof declared === 'number' && ours !== declared;
}

function better(ours: Dim, declared: Dim): Dim {
  return ours === undefined || sizeOf(declared) !== undefined ? declared : ours;
}

export function text(shape: readonly Dim[]): string {
  return `[${shape.map((dim) => (typeof dim === 'object' ? dim.text : (dim ?? '?'))).join(', ')}]`;
}
