/** The lines of the acceptance table, and the ones that a test's name says it covers. */

const LINES = { A: 36, B: 22, C: 20, D: 19, E: 21, F: 17, G: 16, H: 6 } as const;

/** Every id of the table, in its order: A1 to H6. */
export const IDS: readonly string[] = Object.entries(LINES).flatMap(([group, count]) =>
  Array.from({ length: count }, (_, index) => `${group}${index + 1}`),
);

/** What the names of tests of the table begin with. */
export const ID_NAME = /^[A-H]\d/;

/** The ids at the start of a test's name: "A3: …", "B17, B18: …", "A8 to A14: …". Empty where it starts with none. */
export function idsOf(name: string): string[] {
  const [list = ''] = /^[A-H]\d+(?:(?:, | to | and )[A-H]\d+)*/.exec(name) ?? [];
  return list.split(/, | and /).flatMap((part) => {
    const [first = '', last = first] = part.split(' to ');
    const [from, to] = [IDS.indexOf(first), IDS.indexOf(last)];
    return from < 0 ? [] : IDS.slice(from, to + 1);
  });
}
