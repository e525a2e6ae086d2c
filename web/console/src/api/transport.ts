/**
 * What a call to the gateway can end in.
 * `status` is the HTTP status, or 0 when no answer came; `code` is the gateway's own, or `network` / `unexpected`.
 * `message` is a Chinese sentence fit to be shown.
 */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
    this.name = "ApiError";
  }

  get unauthorized(): boolean {
    return this.status === 401;
  }

  get notFound(): boolean {
    return this.status === 404;
  }
}

export type Query = Record<string, string | number | undefined>;
export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

export interface Call {
  method?: Method;
  query?: Query;
  /** A form is sent as it is, anything else as JSON. */
  body?: unknown;
  signal?: AbortSignal;
}

const NO_ANSWER = "连不上服务器。请检查网络后重试；若其他网页正常，请联系系统管理员确认服务是否已启动。";
const SAFE: ReadonlySet<Method> = new Set<Method>(["GET"]);

let whenSignedOut: () => Promise<boolean> = async () => false;

/** `heard` is called for each 401 of a call that is not about the session itself; true says that the user is signed in again
 * by now, and the call is made once more. */
export function onSignedOut(heard: () => Promise<boolean>): void {
  whenSignedOut = heard;
}

/** Absent and empty values are left out. */
export function withQuery(path: string, query: Query = {}): string {
  const parts = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== "") parts.set(name, String(value));
  }
  const search = parts.toString();
  return search ? `${path}?${search}` : path;
}

/** Speaks JSON with the gateway under the cookie session. Throws `ApiError`, or `DOMException` when aborted. */
export async function call<T>(path: string, made: Call = {}): Promise<T> {
  try {
    return await send<T>(path, made);
  } catch (error) {
    if (!(error instanceof ApiError) || !error.unauthorized || path.endsWith("/session")) throw error;
    if (!(await whenSignedOut())) throw error;
    return send<T>(path, made);
  }
}

async function send<T>(path: string, { method = "GET", query, body, signal }: Call): Promise<T> {
  const headers: Record<string, string> = { Accept: "application/json" };
  if (!SAFE.has(method)) headers["X-Requested-With"] = "fssc";
  const form = body instanceof FormData;
  if (body !== undefined && !form) headers["Content-Type"] = "application/json";

  let response: Response;
  try {
    response = await fetch(withQuery(path, query), {
      method,
      headers,
      body: body === undefined || form ? body : JSON.stringify(body),
      credentials: "same-origin",
      signal,
    });
  } catch (cause) {
    if (signal?.aborted) throw cause;
    throw new ApiError(0, "network", NO_ANSWER);
  }

  if (response.ok) {
    if (response.status === 204) return undefined as T;
    try {
      return (await response.json()) as T;
    } catch {
      throw new ApiError(response.status, "unexpected", "服务器的回应无法识别，请刷新页面重试。");
    }
  }
  throw await refusal(response);
}

async function refusal(response: Response): Promise<ApiError> {
  try {
    const { error } = (await response.json()) as { error?: { code?: string; message?: string } };
    if (error?.message) return new ApiError(response.status, error.code ?? "unexpected", error.message);
  } catch {
    // A proxy in between answers in HTML: the status alone has to do.
  }
  return new ApiError(response.status, "unexpected", byStatus(response.status));
}

function byStatus(status: number): string {
  if (status === 401) return "登录已失效，请重新登录。";
  if (status === 403) return "您没有权限查看此内容，请联系管理员开通。";
  if (status === 413) return "文件太大，请拆分后再试。";
  if (status === 404) return "没有找到该内容，可能已被删除或编号有误。";
  if (status === 429) return "操作过于频繁，请稍候再试。";
  if (status >= 500) return `服务暂时不可用（${status}），请稍后重试；持续出现请联系系统管理员。`;
  return `请求未被接受（${status}），请检查输入后重试。`;
}
