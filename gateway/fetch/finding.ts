/** The result of one guard rule, and the error for a refusal. */

/** The rules in the order of their checks: five on the parsed URL, three on an address, one on a redirect; one on a bucket. */
export type Rule =
  | ('scheme' | 'deny-list' | 'metadata-name' | 'allow-list' | 'private-name')
  | ('denied-address' | 'address' | 'port')
  | 'downgrade'
  | 'bucket-list';

/** The result of one rule. For operators only, never for the client. */
export type Finding = {
  readonly rule: Rule;
  readonly refused: boolean;
  readonly text: string;
  /** The setting that would allow it, with its value. Undefined if no setting does. */
  readonly liftedBy?: string;
};

/**
 * A refused URL or address. `message` has the finding and the setting that would allow it: for the log, never for the
 * client.
 */
export class Refusal extends Error {
  readonly rule: Rule;

  constructor({ rule, text, liftedBy }: Omit<Finding, 'refused'>) {
    super(liftedBy === undefined ? text : `${text}; ${liftedBy} would allow it`);
    this.rule = rule;
  }
}

export const passed = (rule: Rule, text: string): Finding => ({ rule, refused: false, text });

export const refused = (rule: Rule, text: string, liftedBy?: string): Finding => ({
  rule,
  refused: true,
  text,
  ...(liftedBy !== undefined && { liftedBy }),
});

/** Throws a Refusal for the first finding that refuses. */
export function enforce(findings: Iterable<Finding>): void {
  for (const finding of findings) if (finding.refused) throw new Refusal(finding);
}
