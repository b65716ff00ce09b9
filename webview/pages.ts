import type { Session, Tab } from './session';

/**
 * Shows the page of the tab in force, one of them at a time beside `graph`. A page is made when it is first shown:
 * most are never looked at, and their controls are the most costly part of starting the page.
 */
export function turnPages(
  session: Session,
  graph: HTMLElement,
  makers: Readonly<Record<Exclude<Tab, 'graph'>, () => HTMLElement>>,
): void {
  const pages = new Map<Tab, HTMLElement>([['graph', graph]]);
  session.on(['tab', 'graph'], () => {
    const { tab } = session;
    for (const [of, page] of pages) page.hidden = of !== tab;
    if (tab === 'graph' || pages.has(tab)) return;
    const make = (): HTMLElement => {
      const page = makers[tab]();
      page.hidden = false;
      graph.after(page);
      return page;
    };
    pages.set(tab, session.late(make));
  });
}
