/** The balancing policy: each call goes to the server with the lowest cost; servers of equal cost take turns. */
import { type ChannelOptions, connectivityState, experimental, Metadata, status } from '@grpc/grpc-js';
import { type PickerSlot, pickerSlotOf, type ServerPicker } from './model-servers.ts';
import { type CallInfo, ServerLoad } from './server-load.ts';

/** The policy's name in a service config. Its `child_policy` must pick ready servers in turn, like round_robin. */
export const LEAST_LOADED = 'least_loaded';

/** Statuses that mean a fault of the server, not of the request. */
const SERVER_FAULTS: ReadonlySet<status> = new Set([
  status.UNKNOWN,
  status.DEADLINE_EXCEEDED,
  status.UNIMPLEMENTED,
  status.INTERNAL,
  status.UNAVAILABLE,
  status.DATA_LOSS,
]);

/** The child policy needs nothing of the call. */
const NO_ARGUMENTS: experimental.PickArgs = { metadata: new Metadata(), extraPickInfo: {} };

type Loads = Map<string, ServerLoad>;

/** The policy's config: `{ child_policy: [...] }`, as in other policies. */
export class LeastLoadedConfig implements experimental.TypedLoadBalancingConfig {
  readonly child: experimental.TypedLoadBalancingConfig;

  constructor(child: experimental.TypedLoadBalancingConfig) {
    this.child = child;
  }

  static createFromJson({ child_policy: policies }: { child_policy: [] }): LeastLoadedConfig {
    const child = experimental.selectLbConfigFromList(policies);
    if (!child) throw new Error('child_policy: name a registered policy');
    return new LeastLoadedConfig(child);
  }

  getLoadBalancerName(): string {
    return LEAST_LOADED;
  }

  toJsonObject(): object {
    return { [LEAST_LOADED]: { child_policy: [this.child.toJsonObject()] } };
  }
}

/** Leaves the connections to its child policy and chooses among the servers that the child picks in turn. */
export class LeastLoadedBalancer implements experimental.LoadBalancer {
  readonly #child: experimental.ChildLoadBalancerHandler;
  readonly #loads: Loads = new Map();
  #slot: PickerSlot | undefined;

  constructor(helper: experimental.ChannelControlHelper) {
    const updateState: experimental.ChannelControlHelper['updateState'] = (state, picker, error) => {
      const isReady = state === connectivityState.READY;
      const ownPicker = isReady ? new LeastLoadedPicker(picker, this.#loads) : undefined;
      if (this.#slot) this.#slot.picker = ownPicker;
      helper.updateState(state, ownPicker ?? picker, error);
    };
    this.#child = new experimental.ChildLoadBalancerHandler(
      experimental.createChildChannelControlHelper(helper, { updateState }),
    );
  }

  updateAddressList(
    endpoints: experimental.StatusOr<experimental.Endpoint[]>,
    config: experimental.TypedLoadBalancingConfig,
    options: ChannelOptions,
    resolutionNote: string,
  ): boolean {
    if (!(config instanceof LeastLoadedConfig)) return false;
    this.#slot = pickerSlotOf(options);
    if (endpoints.ok) this.#dropLoadsExcept(endpoints.value);
    this.#child.updateAddressList(endpoints, config.child, options, resolutionNote);
    return true;
  }

  #dropLoadsExcept(endpoints: readonly experimental.Endpoint[]): void {
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

/** Picks the cheapest server. The gateway's own counts are exact, so it compares all servers, not two at random. */
class LeastLoadedPicker implements experimental.Picker, ServerPicker {
  readonly #inTurn: experimental.Picker;
  readonly #loads: Loads;

  constructor(inTurn: experimental.Picker, loads: Loads) {
    this.#inTurn = inTurn;
    this.#loads = loads;
  }

  /** For grpc-js itself. */
  pick(args: experimental.PickArgs): experimental.PickResult {
    return this.choose({}) ?? this.#inTurn.pick(args);
  }

  get addresses(): readonly string[] {
    return this.#round().map(({ address }) => address);
  }

  choose(info: CallInfo): experimental.PickResult | undefined {
    const { only, model } = info;
    const picks = this.#round().filter(({ address }) => only?.has(address) ?? true);
    const [first] = picks;
    if (!first) return undefined;
    const quickestMs = Math.min(...picks.map(({ load }) => load.quickestMs(model) ?? Number.POSITIVE_INFINITY));
    const costs = picks.map(({ load }) => load.cost(info, quickestMs));
    const { result, load } = picks[costs.indexOf(Math.min(...costs))] ?? first;
    return counted(result, load, info);
  }

  /** Every ready server once. The child's pick rotates, so the first of equals differs from call to call. */
  #round(): { address: string; result: experimental.PickResult; load: ServerLoad }[] {
    const round = new Map<string, experimental.PickResult>();
    for (;;) {
      const result = this.#inTurn.pick(NO_ARGUMENTS);
      const address = result.subchannel?.getAddress();
      if (address === undefined || round.has(address)) break;
      round.set(address, result);
    }
    return [...round].map(([address, result]) => ({ address, result, load: this.#loadOf(address) }));
  }

  #loadOf(address: string): ServerLoad {
    const load = this.#loads.get(address) ?? new ServerLoad();
    this.#loads.set(address, load);
    return load;
  }
}

/** The child's pick, with the call counted. The child (outlier detection) is told only of the server's own faults. */
function counted(result: experimental.PickResult, load: ServerLoad, info: CallInfo): experimental.PickResult {
  let end: ((code: status) => void) | undefined;
  return {
    ...result,
    onCallStarted() {
      end = load.start(info);
      result.onCallStarted?.();
    },
    onCallEnded(code, details, metadata) {
      end?.(code);
      result.onCallEnded?.(SERVER_FAULTS.has(code) ? code : status.OK, details, metadata);
    },
  };
}
