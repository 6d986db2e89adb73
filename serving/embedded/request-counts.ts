/** Counts calls of Predict, Classify and Regress by model and status, as TF-Serving's metric `:tensorflow:serving:request_count`. */

import { asStatusError, type Code } from './status.ts';

const METRIC = ':tensorflow:serving:request_count';

export class RequestCounts {
  readonly #counts = new Map<string, number>();

  /** Counts a call by how it ends. */
  async of<T>(model: string, call: Promise<T>): Promise<T> {
    try {
      const answer = await call;
      this.#count(model, 'OK');
      return answer;
    } catch (thrown) {
      this.#count(model, asStatusError(thrown).code);
      throw thrown;
    }
  }

  #count(model: string, status: Code | 'OK'): void {
    const labels = `model_name=${JSON.stringify(model)},status="${status}"`;
    this.#counts.set(labels, (this.#counts.get(labels) ?? 0) + 1);
  }

  /** The counts in Prometheus' text format. */
  toString(): string {
    const lines = [...this.#counts].map(([labels, count]) => `${METRIC}{${labels}} ${count}\n`);
    return `# TYPE ${METRIC} counter\n${lines.join('')}`;
  }
}
