/** What a batch consists of. */

/** One thing to predict: a picture, or an instance as JSON text, which is sent as it is. */
export type Item = {
  /** Its place in the input, from 0. */
  readonly index: number;
  /** What people call it: the path of a picture in its folder, or a URL. A record is known by its index. */
  readonly input?: string;
} & ({ readonly picture: ReadPicture } | { readonly json: string });

/** Reads the bytes of a picture. */
export type ReadPicture = () => Promise<Uint8Array<ArrayBuffer>>;

/** A file of an input. `name`: what people call it; a file from a bucket has its URL. */
export type InputFile = { readonly file: string; readonly name: string };

/** An input. It can be read several times, and gives the same items each time. */
export type Input = { items(): AsyncIterable<Item> };

/** Items of one request: one picture, or several instances. */
export type Group = readonly Item[];

const MAX_GROUP_BYTES = 256_000;

/** Joins the items of a shard into groups: at most `size` instances and 256 kB of JSON in each. */
export async function* groupsOf(
  items: AsyncIterable<Item>,
  wanted: (index: number) => boolean,
  size: number,
): AsyncGenerator<Group> {
  let group: Item[] = [];
  let bytes = 0;
  for await (const item of items) {
    if (!wanted(item.index)) continue;
    if ('picture' in item) {
      yield [item];
      continue;
    }
    if (group.length > 0 && bytes + item.json.length > MAX_GROUP_BYTES) {
      yield group;
      [group, bytes] = [[], 0];
    }
    group.push(item);
    bytes += item.json.length;
    if (group.length >= size) {
      yield group;
      [group, bytes] = [[], 0];
    }
  }
  if (group.length > 0) yield group;
}
