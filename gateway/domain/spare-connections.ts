/** Connections above a server's limit that are accepted, and close another one or are told that there is no room. */
const MOST = 16;
const SHARE = 1 / 4;

/** How many, for a limit. Those of a longer burst are closed on arrival. */
export const spareConnections = (max: number): number => Math.min(MOST, Math.ceil(max * SHARE));
