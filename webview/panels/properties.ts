import type {
  CostAnalysis,
  OperatorDetails,
  SymbolicDimension,
  TensorDetails,
} from '../../src/protocol/webview';
import { button } from '../controls';
import { el, fill } from '../dom';
import type { Session, Target } from '../session';
import { bytesText, flopsText } from '../units';
import { pinText } from '../whatIf/pins';
import { costFacts, groupFacts, operatorFacts, tensorFacts } from './facts';
import { typesInside } from './groupTypes';
import { section, table } from './table';

export interface PropertiesActions {
  operatorDetails(operator: number): Promise<OperatorDetails>;
  tensorDetails(tensor: number): Promise<TensorDetails>;
  openBody(operator: number, body: string): void;
  toggleGroup(node: number): void;
  goToOperator(operator: number): void;
  selectTensor(tensor: number): void;
  costAnalysis(operator: number): Promise<CostAnalysis>;
  pinMenu(operator: number, x: number, y: number): void;
  bindDimensions(bindings: Readonly<Record<string, number>>): void;
  copy(text: string): void;
  close(): void;
}

/** Everything about what is selected; about the model where nothing is. */
export class Properties {
  readonly element = el('aside', { className: 'properties', aria: { label: 'Properties' } });

  constructor(
    private readonly session: Session,
    private readonly actions: PropertiesActions,
  ) {
    session.on(['selection', 'graph', 'plan', 'pins'], () => this.render());
  }

  private render(): void {
    const { selection, model, opened } = this.session;
    if (model === null || opened === null || this.element.hidden) return;
    if (selection === null) this.fill('Model', opened.fileName, this.modelFacts());
    else if (selection.kind === 'node' && model.isOperator(selection.node)) this.operator(selection.node);
    else if (selection.kind === 'node' && model.isGroup(selection.node)) this.group(selection.node);
    else this.tensors(selection);
  }

  /** Opens the panel and fills it with what is selected now. */
  show(): void {
    this.element.hidden = false;
    this.render();
  }

  private fill(kind: string, name: string, content: readonly (Node | null)[]): void {
    const copy = (): void => this.actions.copy(this.element.innerText);
    fill(this.element, [
      el(
        'header',
        {},
        el('div', {}, el('span', { className: 'dim' }, kind), el('h3', {}, name)),
        button({ label: 'Copy as text', icon: 'copy', look: 'icon', pressed: copy }),
        button({
          label: 'Close the properties',
          icon: 'close',
          look: 'icon',
          pressed: () => this.actions.close(),
        }),
      ),
      ...content,
    ]);
  }

  private modelFacts(): Node[] {
    const { properties, dimensions, problems } = this.session.opened!;
    const rows = [
      ['file size', bytesText(properties.fileBytes)],
      ['compute', flopsText(properties.totalFlops.flops)],
      ['IR version', String(properties.irVersion)],
      ['producer', properties.producer],
      ['domain', properties.domain],
      ['model version', String(properties.modelVersion)],
      ...properties.opsets.map((opset) => ['operator set', `${opset.domain || 'ai.onnx'} ${opset.version}`]),
      ...properties.metadata.map(([name, value]) => [name, value]),
    ].filter(([, value]) => value !== '');
    return [
      table(rows),
      ...(properties.docString === '' ? [] : [el('p', { className: 'doc' }, properties.docString)]),
      ...(dimensions.length === 0 ? [] : [this.dimensionForm(dimensions)]),
      ...(properties.functions.length === 0
        ? []
        : [section('Functions', table(properties.functions.map((name) => [name])))]),
      ...(problems.length === 0
        ? []
        : [
            section(
              'Notes on the file',
              ...problems.map((p) => el('p', { className: `problem ${p.severity}` }, p.message)),
            ),
          ]),
    ];
  }

  /** Sizes of symbolic dimensions: an empty field leaves one free, and sizes that need it unknown. */
  private dimensionForm(dimensions: readonly SymbolicDimension[]): HTMLElement {
    const fields = dimensions.map(({ name, value }) => {
      const field = el('input', {
        type: 'number',
        min: '1',
        step: '1',
        value: value === null ? '' : String(value),
      });
      return { name, field };
    });
    const rows = fields.map(({ name, field }) => el('label', {}, el('span', {}, name), field));
    const form = el(
      'form',
      { className: 'dimensions' },
      ...rows,
      button({ label: 'Apply', pressed: () => apply() }),
    );
    const apply = (): void => {
      const entries = fields.flatMap(({ name, field }): [string, number][] => {
        const size = Number(field.value);
        return Number.isSafeInteger(size) && size > 0 ? [[name, size]] : [];
      });
      this.actions.bindDimensions(Object.fromEntries(entries));
    };
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      apply();
    });
    return section('Symbolic dimensions', form);
  }

  private operator(op: number): void {
    const { model, session } = { model: this.session.model!, session: this.session };
    const name = model.graph.operators.names[op];
    const facts = operatorFacts(session, model, op);
    const bodies = (model.graph.operators.bodies[op] ?? []).map((body) =>
      button({ label: `Open ${body}`, pressed: () => this.actions.openBody(op, body) }),
    );
    const later = el('div', {});
    const costs = el('div', {});
    this.fill(model.typeText(op), name === '' ? '(no name)' : name, [
      ...(bodies.length === 0 ? [] : [el('div', { className: 'button-row' }, ...bodies)]),
      later,
      ...facts,
      this.pinSection(op),
      costs,
    ]);
    const selection = this.session.selection;
    if (session.trail.length === 1) void this.fillCosts(costs, op);
    this.actions.operatorDetails(op).then(
      (details) => {
        if (this.session.selection === selection) fill(later, this.operatorDetails(details));
      },
      () => undefined,
    );
  }

  /** The memory-time cost analysis of the operator, where it has alternatives. */
  private async fillCosts(into: HTMLElement, op: number): Promise<void> {
    const { selection } = this.session;
    const analysis = await this.actions.costAnalysis(op).catch(() => null);
    if (analysis === null || analysis.alternatives.length === 0 || this.session.selection !== selection)
      return;
    fill(into, [costFacts(analysis, 'all')]);
  }

  private pinSection(op: number): HTMLElement | null {
    const { shownPlan, pins, model } = this.session;
    if (shownPlan === null || shownPlan.shares(op).length === 0) return null;
    const pin = pins.get(model!.graph.operators.nodes[op]);
    const change = button({
      label: pin === undefined ? 'Pin …' : 'Change …',
      title: 'Keep it on a device, or split one way, in the next what-if',
      pressed: () => {
        const { left, bottom } = change.getBoundingClientRect();
        this.actions.pinMenu(op, left, bottom + 2);
      },
    });
    const text = pin === undefined ? 'not pinned' : pinText(pin);
    return section('Pin', el('div', { className: 'pin' }, el('span', {}, text), change));
  }

  private operatorDetails(details: OperatorDetails): Node[] {
    const attributes = details.attributes.map(({ name, text }) => [name, text]);
    const operands = [...details.inputs, ...details.outputs].filter(({ tensor }) => tensor >= 0);
    const links = operands.map((operand) => {
      const link = el(
        'button',
        { type: 'button', className: 'link' },
        operand.name === '' ? '(no name)' : operand.name,
      );
      link.addEventListener('click', () => this.actions.selectTensor(operand.tensor));
      const note = [
        operand.isWeight ? 'weight' : '',
        operand.type,
        operand.shape,
        operand.bytes === null ? '?' : bytesText(operand.bytes),
      ];
      return el(
        'li',
        {},
        link,
        ' ',
        el('span', { className: 'dim' }, note.filter((part) => part !== '').join(' ')),
      );
    });
    return [
      ...(details.opaqueReason === null
        ? []
        : [el('p', { className: 'problem warning' }, details.opaqueReason)]),
      section(
        'Attributes',
        attributes.length === 0 ? el('p', { className: 'note' }, 'none') : table(attributes),
      ),
      section('Operands', el('ul', { className: 'operands' }, ...links)),
      section(
        'Definition',
        table([['operator set', String(details.opset)], ...details.metadata.map(([k, v]) => [k, v])]),
      ),
      ...(details.docString === '' ? [] : [el('p', { className: 'doc' }, details.docString)]),
    ];
  }

  private group(node: number): void {
    const model = this.session.model!;
    const label = model.isOpenGroup(node) ? 'Close the group' : 'Open the group';
    this.fill('Group', model.title1(node), [
      el(
        'div',
        { className: 'button-row' },
        button({ label, pressed: () => this.actions.toggleGroup(node) }),
      ),
      ...groupFacts(model, node, typesInside(model, node)),
    ]);
  }

  private tensors(selection: Target): void {
    const model = this.session.model!;
    const { firstTensor, tensors } = model.scene.wires;
    const tensor =
      selection.kind === 'tensor'
        ? selection.tensor
        : selection.kind === 'node'
          ? model.endTensor(selection.node)
          : tensors[firstTensor[selection.wire]];
    const later = el('div', {});
    const ends = [model.graph.tensors.producers[tensor], ...model.consumersOf(tensor)].filter(
      (op) => op >= 0,
    );
    const links = ends.map((op) => {
      const link = el('button', { type: 'button', className: 'link' }, model.describe(op));
      link.addEventListener('click', () => this.actions.goToOperator(op));
      return el('li', {}, link);
    });
    this.fill('Tensor', model.graph.tensors.names[tensor], [
      ...tensorFacts(this.session, model, tensor),
      later,
      section('Made and read by', el('ul', { className: 'operands' }, ...links)),
    ]);
    this.actions.tensorDetails(tensor).then(
      (details) => {
        if (this.session.selection !== selection) return;
        const rows = [
          ...(details.location === null ? [] : [['stored', details.location]]),
          ...(details.values === null ? [] : [['values', details.values]]),
        ];
        fill(later, rows.length === 0 ? [] : [table(rows)]);
      },
      () => undefined,
    );
  }
}
