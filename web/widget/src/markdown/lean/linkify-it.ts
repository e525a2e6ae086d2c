/** Stands in for the package `linkify-it`: http and https addresses only, ended by Chinese punctuation too. */
const ADDRESS = /https?:\/\/[^\s<>"'`，。；：！？、（）《》【】「」“”‘’]+/gi;
const TRAILING = /[.,;:!?)\]}*_~]+$/;

interface Match {
  schema: string;
  index: number;
  lastIndex: number;
  raw: string;
  text: string;
  url: string;
}

export class LinkifyIt {
  test(text: string): boolean {
    return this.match(text) !== null;
  }

  match(text: string): Match[] | null {
    const found = [...text.matchAll(ADDRESS)].map((match) => matchOf(match[0], match.index));
    return found.length > 0 ? found : null;
  }

  matchAtStart(text: string): Match | null {
    const first = this.match(text)?.[0];
    return first?.index === 0 ? first : null;
  }
}

function matchOf(raw: string, index: number): Match {
  const url = raw.replace(TRAILING, "");
  return { schema: url.slice(0, url.indexOf("//")), index, lastIndex: index + url.length, raw: url, text: url, url };
}
