/** `npm run bench:properties [-- first count]`: random networks on random clusters; names every seed that breaks a promise. */
import { boundFollowsResources, holdsPromises } from '../support/planProperties';

async function main(): Promise<void> {
  const [first = 0, count = 1000] = process.argv.slice(2).map(Number);
  let valid = 0;
  const broken = { plan: 0, bound: 0 };
  const holds = async (kind: keyof typeof broken, property: () => Promise<void> | void): Promise<void> => {
    try {
      await property();
    } catch (error) {
      broken[kind]++;
      process.stdout.write(`${kind}: ${(error as Error).message.slice(0, 600)}\n`);
    }
  };
  for (let seed = first; seed < first + count; seed++) {
    await holds('plan', async () => {
      if (await holdsPromises(seed)) valid++;
    });
    await holds('bound', () => boundFollowsResources(seed));
  }
  process.stdout.write(
    `${count} cases, ${valid} with a valid plan, broken: ${broken.plan} plans, ${broken.bound} bounds that do not follow the resources\n`,
  );
}

void main();
