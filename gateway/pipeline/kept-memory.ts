/** Memory with several users: it is released when the last of them is done with it. */

export type KeptMemory = {
  /** Adds a user. Returns the function by which it says that it is done; call it once. */
  keep(): () => void;
};

/** `release` is called once, when every user is done. */
export function keptMemory(release: () => void): KeptMemory {
  let users = 0;
  const done = () => {
    users -= 1;
    if (users === 0) release();
  };
  return {
    keep() {
      users += 1;
      return done;
    },
  };
}
