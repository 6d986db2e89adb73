/** The balancing policy: a call goes to the server where it costs least; servers that cost the same take turns. */
import { type ChannelOptions, connectivityState, experimental, status } from '@grpc/grpc-js';
import { type Choices, choicesOf } from './model-servers.ts';
import { type CallMark, ServerLoad } from './server-load.ts';

/** The policy's name in a service config; its `child_policy` has to give the ready servers in turn, as round_robin does. */
export const LEAST_LOADED = 'least_loaded';

/** What a server answers when something is wrong with it, rather than with what it was asked. */
const SERVER_FAULTS: ReadonlySet<status> = new Set([
  status.UNKNOWN,
  status.DEADLINE_EXCEEDED,
  status.UNIMPLEMENTED,
  status.INTERNAL,
  status.UNAVAILABLE,
  status.DATA_LOSS,
]);

type Loads = Map<string, ServerLoad>;

/** `{ child_policy: [...] }`, as other policies have it. */
export class LeastLoadedConfig implements experimental.TypedLoadBalancingConfig {
  readonly child: experimental.TypedLoadBalancingConfig;

  constructor(child: experimental.TypedLoadBalancingConfig) {
    this.child = child;
  }

  static createFromJson({ child_policy: policies }: { child_policy: [] }): LeastLoadedConfig {
    const child = experimental.selectLbConfigFromList(policies);
    if (!child) throw new Error('child_policy: names no policy that is known');
    return new LeastLoadedConfig(child);
  }

  getLoadBalancerName(): string {
    return LEAST_LOADED;
  }

  toJsonObject(): object {
    return { [LEAST_LOADED]: { child_policy: [this.child.toJsonObject()] } };
  }
}

/** Leaves connections to its child policy, and chooses among the servers that the child would ask in turn. */
export class LeastLoadedBalancer implements experimental.LoadBalancer {
  readonly #child: experimental.ChildLoadBalancerHandler;
  readonly #loads: Loads = new Map();
  #choices: Choices | undefined;

  constructor(helper: experimental.ChannelControlHelper) {
    const updateState: experimental.ChannelControlHelper['updateState'] = (state, picker, error) => {
      const isReady = state === connectivityState.READY;
      const chosenBy = isReady ? new LeastLoadedPicker(picker, this.#loads) : picker;
      if (this.#choices) this.#choices.picker = chosenBy;
      helper.updateState(state, chosenBy, error);
    };
    this.#child = new experimental.ChildLoadBalancerHandler(
      experimental.createChildChannelControlHelper(helper, { updateState }),
    );
  }

  updateAddressList(
    endpoints: experimental.StatusOr<experimental.Endpoint[]>,
    config: experimental.TypedLoadBalancingConfig,
    options: ChannelOptions,
    note: string,
  ): boolean {
    if (!(config instanceof LeastLoadedConfig)) return false;
    this.#choices = choicesOf(options);
    if (endpoints.ok) this.#forgetAllBut(endpoints.value);
    this.#child.updateAddressList(endpoints, config.child, options, note);
    return true;
  }

  #forgetAllBut(endpoints: readonly experimental.Endpoint[]): void {
    const known = new Set(
      endpoints.flatMap(({ addresses }) => addresses.map((one) => experimental.subchannelAddressToString(one))),
    );
    for (const address of this.#loads.keys()) if (!known.has(address)) this.#loads.delete(address);
  }

  exitIdle(): void {
    this.#child.exitIdle();
  }

  resetBackoff(): void {
    this.#child.resetBackoff();
  }

  destroy(): void {
    this.#child.destroy();
  }

  getTypeName(): string {
    return LEAST_LOADED;
  }
}

/** Exact where one gateway is concerned, so all servers are compared, not two at random as where loads are hearsay. */
class LeastLoadedPicker implements experimental.Picker {
  readonly #inTurn: experimental.Picker;
  readonly #loads: Loads;

  constructor(inTurn: experimental.Picker, loads: Loads) {
    this.#inTurn = inTurn;
    this.#loads = loads;
  }

  pick(args: experimental.PickArgs): experimental.PickResult {
    const picks = this.#round(args);
    const [first] = picks;
    if (picks.length === 0 || !first) return this.#inTurn.pick(args);
    const { model, call } = args.extraPickInfo;
    const mark = { model, call };
    const quickestMs = Math.min(...picks.map(({ load }) => load.quickestMs(mark.model) ?? Number.POSITIVE_INFINITY));
    const costs = picks.map(({ load }) => load.cost(mark, quickestMs));
    const { result, load } = picks[costs.indexOf(Math.min(...costs))] ?? first;
    return counted(result, load, mark);
  }

  /** Every ready server once. The child goes one further each time, so the first of equals is another at every call. */
  #round(args: experimental.PickArgs): { result: experimental.PickResult; load: ServerLoad }[] {
    const round = new Map<string, experimental.PickResult>();
    for (;;) {
      const result = this.#inTurn.pick(args);
      const address = result.subchannel?.getAddress();
      if (address === undefined || round.has(address)) break;
      round.set(address, result);
    }
    return [...round].map(([address, result]) => ({ result, load: this.#loadOf(address) }));
  }

  #loadOf(address: string): ServerLoad {
    const load = this.#loads.get(address) ?? new ServerLoad();
    this.#loads.set(address, load);
    return load;
  }
}

/** The child's choice, with its call counted. A child that judges servers by their failures is told of those alone. */
function counted(result: experimental.PickResult, load: ServerLoad, mark: CallMark): experimental.PickResult {
  let end: ((code: status) => void) | undefined;
  return {
    ...result,
    onCallStarted() {
      end = load.start(mark);
      result.onCallStarted?.();
    },
    onCallEnded(code, details, metadata) {
      end?.(code);
      result.onCallEnded?.(SERVER_FAULTS.has(code) ? code : status.OK, details, metadata);
    },
  };
}
