/** The ids of the acceptance table, and the ids at the start of a test's name. */

/** Lines of the table by group. */
const LINES = { A: 36, B: 22, C: 20, D: 19, E: 21, F: 17, G: 16, H: 6 } as const;

/** Every id of the table in order: A1 to H6. */
export const IDS: readonly string[] = Object.entries(LINES).flatMap(([group, count]) =>
  Array.from({ length: count }, (_, index) => `${group}${index + 1}`),
);

/** The start of the names of tests that cover a line of the table. */
export const ID_NAME = /^[A-H]\d/;

/** The ids at the start of a test's name: "A3: …", "B17, B18: …", "A8 to A14: …". Empty if there are none. */
export function idsOf(name: string): string[] {
  const [list = ''] = /^[A-H]\d+(?:(?:, | to | and )[A-H]\d+)*/.exec(name) ?? [];
  return list.split(/, | and /).flatMap((part) => {
    const [first = '', last = first] = part.split(' to ');
    const [from, to] = [IDS.indexOf(first), IDS.indexOf(last)];
    return from < 0 ? [] : IDS.slice(from, to + 1);
  });
}
