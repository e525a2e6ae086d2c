/**
 * DeskError
 *  ├─ NetworkError   the server was not reached, or did not answer in time: send again with the same id
 *  └─ ApiError       the server refused, in its own Chinese words
 *      ├─ BusyError    … for now (429, 5xx, a twin still being worked on): send again later
 *      └─ TokenError   … because the token is expired or forged: the host has to give a new one
 */
export class DeskError extends Error {}

export class NetworkError extends DeskError {
  constructor(message = "网络连接不上，恢复后会自动发送。") {
    super(message);
  }
}

export class ApiError extends DeskError {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

export class BusyError extends ApiError {
  constructor(
    status: number,
    code: string,
    message: string,
    /** Milliseconds that the server asked to wait, if it did. */
    readonly retryAfter: number | null,
  ) {
    super(status, code, message);
  }
}

export class TokenError extends ApiError {}

/** True when the same request may succeed later without anybody changing it. */
export function isTransient(error: unknown): error is NetworkError | BusyError {
  return error instanceof NetworkError || error instanceof BusyError;
}
