/** The gRPC client of the model servers: grpc-js keeps the connections, the balancing policy picks one per call. */
import { type ChannelCredentials, type ChannelOptions, Client, experimental } from '@grpc/grpc-js';
import { BackendsResolver, SCHEME } from './resolver.ts';
import type { CallInfo } from './server-load.ts';

/** Channel option that passes the PickerSlot to the balancer. The prefix keeps it out of the subchannels' options. */
const PICKER_SLOT = `${experimental.SUBCHANNEL_ARGS_EXCLUDE_KEY_PREFIX}.tensorgate_picker_slot`;

/** Picks among the servers that are connected. */
export type ServerPicker = {
  readonly addresses: readonly string[];
  /** Undefined if none of the call's servers is connected. */
  choose(info: CallInfo): experimental.PickResult | undefined;
};

/** Holds the balancer's current picker; the balancer replaces it at every change. Undefined: no server is connected. */
export type PickerSlot = { picker?: ServerPicker | undefined };

/** The slot in a channel's options; undefined if the channel is not one of `ModelServers`. */
export function pickerSlotOf(options: ChannelOptions): PickerSlot | undefined {
  return (options as Readonly<Record<string, unknown>>)[PICKER_SLOT] as PickerSlot | undefined;
}

/** A client that exposes its connections, so calls can bypass the channel. Connects when its channel is told to. */
export class ModelServers extends Client {
  /** What HTTP/2 sends as :authority. */
  readonly authority: string;
  readonly #slot: PickerSlot;

  constructor(backends: string, credentials: ChannelCredentials, options: ChannelOptions) {
    const slot: PickerSlot = {};
    super(`${SCHEME}:${backends}`, credentials, { ...options, [PICKER_SLOT]: slot } as ChannelOptions);
    this.#slot = slot;
    this.authority = BackendsResolver.getDefaultAuthority({ scheme: SCHEME, path: backends });
  }

  /** The addresses of the servers that are connected now. */
  get addresses(): readonly string[] {
    return this.#slot.picker?.addresses ?? [];
  }

  /**
   * Picks the connection for one call; undefined if none is ready. The caller reports the call's start and end with
   * `onCallStarted` and `onCallEnded` of the result.
   */
  pick(info: CallInfo): experimental.PickResult | undefined {
    const picked = this.#slot.picker?.choose(info);
    return picked?.pickResultType === experimental.PickResultType.COMPLETE ? picked : undefined;
  }
}
