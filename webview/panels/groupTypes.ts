import type { GraphModel } from '../graphModel';

/** Operator types inside a group, the most frequent first. */
export function typesInside(model: GraphModel, node: number): (readonly [string, number])[] {
  const { hierarchy } = model;
  const counts = new Map<string, number>();
  const visit = (group: number): void => {
    for (let i = hierarchy.firstChild[group]; i < hierarchy.firstChild[group + 1]; i++) {
      const child = hierarchy.children[i];
      if (model.isGroup(child)) visit(model.groupIndex(child));
      else if (model.isOperator(child))
        counts.set(model.typeText(child), (counts.get(model.typeText(child)) ?? 0) + 1);
    }
  };
  visit(model.groupIndex(node));
  return [...counts].sort((a, b) => b[1] - a[1]);
}
