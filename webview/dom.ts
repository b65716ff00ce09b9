type Child = Node | string | null | undefined | false;
type Properties<K extends keyof HTMLElementTagNameMap> = Partial<
  Omit<HTMLElementTagNameMap[K], 'style' | 'dataset'>
> & {
  readonly style?: Readonly<Record<string, string>>;
  readonly data?: Readonly<Record<string, string>>;
  readonly aria?: Readonly<Record<string, string>>;
};

/** An element with its properties, `aria-` and `data-` attributes, and children. Text is never parsed as HTML. */
export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties: Properties<K> = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  const { style, data, aria, ...plain } = properties;
  Object.assign(element, plain);
  for (const [name, value] of Object.entries(style ?? {})) element.style.setProperty(name, value);
  for (const [name, value] of Object.entries(data ?? {})) element.dataset[name] = value;
  for (const [name, value] of Object.entries(aria ?? {})) element.setAttribute(`aria-${name}`, value);
  fill(element, children);
  return element;
}

export function fill(element: Element, children: readonly Child[]): void {
  element.replaceChildren(
    ...children.filter((c): c is Node | string => c !== null && c !== undefined && c !== false),
  );
}

/** Moves the focus inside the page; an input box of the editor that has it keeps it. */
export function takeFocus(element: Element | null | undefined): void {
  if (document.hasFocus()) (element as HTMLElement | null | undefined)?.focus();
}
