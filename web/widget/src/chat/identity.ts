export const ANONYMOUS = "anonymous";
const UNREADABLE = "unreadable";

/**
 * Whose conversation this is: `user:<issuer>:<subject>` of the token, or `anonymous`.
 * Read without checking the signature, which is the server's business: it only keeps apart what is kept in this browser.
 */
export function identityOf(token: string | null): string {
  if (!token) return ANONYMOUS;
  try {
    const payload = token.split(".")[1] ?? "";
    const bytes = Uint8Array.from(atob(payload.replace(/-/g, "+").replace(/_/g, "/")), (char) => char.charCodeAt(0));
    const claims = JSON.parse(new TextDecoder().decode(bytes)) as { iss?: unknown; sub?: unknown };
    if (typeof claims.sub === "string" && claims.sub) return `user:${String(claims.iss ?? "")}:${claims.sub}`;
  } catch {
    // Not a JWT: the server will refuse it; until then it must not see another person's conversation.
  }
  return UNREADABLE;
}

/** A random id of a message, 36 characters. `crypto.randomUUID` is missing on plain http. */
export function newMessageId(): string {
  if (typeof crypto.randomUUID === "function") return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
