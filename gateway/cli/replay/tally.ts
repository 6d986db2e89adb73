/** Counts what two versions answered to the same instances. */
import type { Side } from '../../domain/evidence/findings.ts';
import { latencyOfSamples } from '../../domain/evidence/latency.ts';
import { FAULTS } from '../../pipeline/version-outcome.ts';
import type { Compared } from '../verdict/report.ts';
import { type Answered, distanceOf, type Failed } from './answer.ts';

type Outcome = Answered | Failed;

class Counted {
  readonly seconds: number[] = [];
  requests = 0;
  errors = 0;

  add(outcome: Outcome): void {
    this.requests += 1;
    if ('kind' in outcome) this.errors += 1;
    else if (outcome.seconds !== undefined) this.seconds.push(outcome.seconds);
  }

  side(version: number): Side {
    const { requests, errors } = this;
    return { version, requests, errors, latency: latencyOfSamples(this.seconds) };
  }
}

export class Tally {
  readonly #candidate = new Counted();
  readonly #reference = new Counted();
  readonly #refused = new Map<string, number>();
  #compared = 0;
  #same = 0;
  #measured = 0;
  #distance = 0;

  /** A request that both versions refuse for a reason of its own, such as a picture that is gone, says nothing of them. */
  add(candidate: Outcome, reference: Outcome): void {
    if ('kind' in candidate && 'kind' in reference && !isFault(candidate) && !isFault(reference)) {
      this.#refused.set(candidate.kind, (this.#refused.get(candidate.kind) ?? 0) + 1);
      return;
    }
    this.#candidate.add(candidate);
    this.#reference.add(reference);
    if ('kind' in candidate || 'kind' in reference) return;
    if (candidate.best !== undefined && reference.best !== undefined) {
      this.#compared += 1;
      this.#same += Number(candidate.best === reference.best);
    }
    if (candidate.probabilities.size === 0 || reference.probabilities.size === 0) return;
    this.#measured += 1;
    this.#distance += distanceOf(candidate.probabilities, reference.probabilities);
  }

  /** Requests that both versions refused, by the kind of the error. */
  get refused(): ReadonlyMap<string, number> {
    return this.#refused;
  }

  compared(model: string, candidate: number, reference: number): Compared {
    return {
      model,
      candidate: this.#candidate.side(candidate),
      reference: this.#reference.side(reference),
      agreement: { count: this.#same, total: this.#compared },
      meanDistance: this.#measured === 0 ? null : this.#distance / this.#measured,
    };
  }
}

const isFault = ({ kind }: Failed) => (FAULTS as ReadonlySet<string>).has(kind);
