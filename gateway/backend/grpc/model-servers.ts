/** The model servers behind one list: their connections, kept by grpc-js, and the balancer's choice among them. */
import { type ChannelCredentials, type ChannelOptions, Client, experimental, Metadata } from '@grpc/grpc-js';
import { BackendsResolver, SCHEME } from './resolver.ts';
import type { CallMark } from './server-load.ts';

/** The option that gives a balancer the place for its choices. A connection has no use for it. */
const CHOICES = `${experimental.SUBCHANNEL_ARGS_EXCLUDE_KEY_PREFIX}.tensorgate_choices`;

/** Where a balancer puts what it chooses by, at every change. */
export type Choices = { picker?: experimental.Picker };

/** The place in the options that a balancer is given; none where somebody else made its channel. */
export function choicesOf(options: ChannelOptions): Choices | undefined {
  return (options as Readonly<Record<string, unknown>>)[CHOICES] as Choices | undefined;
}

const NO_METADATA = new Metadata();

/** A client whose connections can be called directly. Connects when its channel is first asked to. */
export class ModelServers extends Client {
  /** What HTTP/2 sends as :authority. */
  readonly authority: string;
  readonly #choices: Choices;

  constructor(backends: string, credentials: ChannelCredentials, options: ChannelOptions) {
    const choices: Choices = {};
    super(`${SCHEME}:${backends}`, credentials, { ...options, [CHOICES]: choices } as ChannelOptions);
    this.#choices = choices;
    this.authority = BackendsResolver.getDefaultAuthority({ scheme: SCHEME, path: backends });
  }

  /** The connection for one call; undefined where none is ready. Who calls it reports start and end of the call. */
  pick({ model, call }: CallMark): experimental.PickResult | undefined {
    const extraPickInfo = { ...(model !== undefined && { model }), ...(call !== undefined && { call }) };
    const picked = this.#choices.picker?.pick({ metadata: NO_METADATA, extraPickInfo });
    return picked?.pickResultType === experimental.PickResultType.COMPLETE ? picked : undefined;
  }
}
