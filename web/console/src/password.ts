/** Letters and digits that are not mistaken for one another when read aloud or copied by hand. */
const LETTERS = "abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
export const SHORTEST = 10;

/** A random password of 14 characters, each equally likely. */
export function madePassword(random: (into: Uint8Array<ArrayBuffer>) => Uint8Array = (into) => crypto.getRandomValues(into)): string {
  const most = 256 - (256 % LETTERS.length);
  let made = "";
  while (made.length < 14) {
    for (const byte of random(new Uint8Array(16))) {
      if (byte < most && made.length < 14) made += LETTERS[byte % LETTERS.length];
    }
  }
  return made;
}
