/** Stands in for the package `punycode.js`: the browser encodes host names itself when a link is followed. */
const asItIs = (host: string): string => host;

export default { toASCII: asItIs, toUnicode: asItIs };
