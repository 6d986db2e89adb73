/** The whole batch cannot go on: another key, model, address or right is needed, or something is down. */
export class Refused extends Error {}
