import loadHighs from 'highs';
import type { SolveLinear } from '../../src/core/search/opponents/linearModel';

/**
 * HiGHS (WebAssembly, one thread, the same vertex each time). It is not part of the product: it would make the
 * packed extension larger by more than a quarter, for plans that the search does not need.
 */
export async function linearSolver(): Promise<SolveLinear> {
  const highs = await loadHighs();
  return ({ cost, lower, upper, rowLower, rowUpper, starts, columns, values }) =>
    highs.withModel(
      {
        numCols: cost.length,
        numRows: rowLower.length,
        colCost: cost,
        colLower: lower,
        colUpper: upper,
        rowLower,
        rowUpper,
        matrix: {
          format: 'csr',
          numRows: rowLower.length,
          numCols: cost.length,
          starts,
          indices: columns,
          values,
        },
      },
      (model) => {
        model.options.set({ output_flag: false });
        const { modelStatus } = model.run();
        return modelStatus === highs.constants.modelStatus.optimal ? model.getSolution().colValue : undefined;
      },
    );
}
