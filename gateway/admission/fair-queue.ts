/**
 * A queue that shares between tenants: deficit round robin (M. Shreedhar, G. Varghese, SIGCOMM 1995), with the deficit kept
 * as a debt. A tenant in turn gives its oldest request, then owes a turn for each further image of it. Its turns are skipped
 * until that is repaid.
 */
export type Queued = { readonly tenant: string; readonly images: number };

type Tenant<T> = { readonly waiting: Set<T>; images: number; debt: number };

export class FairQueue<T extends Queued> {
  /** In the order of their turns. A tenant in debt stays when it has nothing waiting. */
  readonly #tenants = new Map<string, Tenant<T>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get images(): number {
    return [...this.#tenants.values()].reduce((sum, { images }) => sum + images, 0);
  }

  add(item: T): void {
    const tenant = this.#tenants.get(item.tenant) ?? { waiting: new Set(), images: 0, debt: 0 };
    this.#tenants.set(item.tenant, tenant);
    tenant.waiting.add(item);
    tenant.images += item.images;
    this.#size += 1;
  }

  /** The request whose turn it is; undefined when none waits. */
  next(): T | undefined {
    while (this.#size > 0) {
      const [[name, tenant] = []] = this.#tenants;
      if (name === undefined || tenant === undefined) break;
      const [item] = tenant.waiting;
      if (item && tenant.debt === 0) return item;
      this.#endTurn(name, tenant, Math.max(0, tenant.debt - 1));
    }
    return undefined;
  }

  /** Takes the request that `next` gave. */
  take(item: T): void {
    const tenant = this.#tenants.get(item.tenant);
    this.remove(item);
    if (tenant) this.#endTurn(item.tenant, tenant, item.images - 1);
  }

  remove(item: T): void {
    const tenant = this.#tenants.get(item.tenant);
    if (!tenant?.waiting.delete(item)) return;
    tenant.images -= item.images;
    this.#size -= 1;
  }

  /** Images that are taken before a new request: those of its tenant, and as many of each other tenant. */
  ahead({ tenant, images }: Queued): number {
    const own = this.#tenants.get(tenant)?.images ?? 0;
    const others = [...this.#tenants].map(([name, other]) =>
      name === tenant ? 0 : Math.min(other.images, own + images),
    );
    return others.reduce((sum, each) => sum + each, own);
  }

  /** The request to evict for a new one: the newest of the tenant with most images, if that is more than the new one's. */
  toEvict({ tenant, images }: Queued): T | undefined {
    const own = (this.#tenants.get(tenant)?.images ?? 0) + images;
    const most = [...this.#tenants.values()].reduce((one, other) => (other.images > one.images ? other : one), {
      waiting: new Set<T>(),
      images: own,
    });
    return [...most.waiting].at(-1);
  }

  #endTurn(name: string, tenant: Tenant<T>, debt: number): void {
    tenant.debt = debt;
    this.#tenants.delete(name);
    if (tenant.waiting.size > 0 || debt > 0) this.#tenants.set(name, tenant);
  }
}
