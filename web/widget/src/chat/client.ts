import { ApiError, BusyError, NetworkError, TokenError } from "./errors";
import type { FeedbackReason, Message, PageContext, SendResult, Suggestions, Utterance } from "./message";

const REQUEST_TIMEOUT = 30_000;

export interface Outgoing extends Utterance {
  client_message_id: string;
  context: PageContext;
}

/** The gateway's chat API. Every method rejects with a `DeskError` and nothing else. */
export class ChatClient {
  constructor(
    /** Origin of the gateway, without a trailing slash. */
    readonly server: string,
    private readonly token: () => string | null,
    private readonly timeout = REQUEST_TIMEOUT,
  ) {}

  send(message: Outgoing, conversationId: string | null): Promise<SendResult> {
    return this.request<SendResult>("POST", "/api/v1/chat/messages", {
      ...(conversationId ? { conversation_id: conversationId } : {}),
      client_message_id: message.client_message_id,
      ...(message.choice !== undefined ? { choice: message.choice } : { text: message.text }),
      context: message.context,
    });
  }

  async messages(conversationId: string, after: number): Promise<Message[]> {
    const path = `/api/v1/chat/conversations/${encodeURIComponent(conversationId)}/messages?after=${after}`;
    return (await this.request<{ messages: Message[] }>("GET", path)).messages;
  }

  suggestions(context: PageContext): Promise<Suggestions> {
    const query = new URLSearchParams();
    if (context.page) query.set("page", context.page);
    if (context.node) query.set("node", context.node);
    return this.request<Suggestions>("GET", `/api/v1/chat/suggestions?${query}`);
  }

  async feedback(
    conversationId: string,
    messageId: string,
    helpful: boolean,
    reason?: FeedbackReason,
  ): Promise<void> {
    await this.request("POST", "/api/v1/chat/feedback", {
      conversation_id: conversationId,
      message_id: messageId,
      helpful,
      ...(reason ? { reason } : {}),
    });
  }

  private async request<T>(method: string, path: string, body?: unknown): Promise<T> {
    const headers: Record<string, string> = { Accept: "application/json" };
    if (body !== undefined) headers["Content-Type"] = "application/json";
    const token = this.token();
    if (token) headers.Authorization = `Bearer ${token}`;

    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), this.timeout);
    try {
      const response = await fetch(this.server + path, {
        method,
        headers,
        body: body === undefined ? undefined : JSON.stringify(body),
        credentials: "omit",
        cache: "no-store",
        signal: abort.signal,
      });
      if (!response.ok) throw await refusal(response);
      return (response.status === 204 ? undefined : await response.json()) as T;
    } catch (error) {
      if (error instanceof ApiError) throw error;
      throw new NetworkError();
    } finally {
      clearTimeout(timer);
    }
  }
}

const FALLBACK_MESSAGES: Record<number, string> = {
  401: "登录凭证无效，请刷新页面后重试。",
  403: "您没有权限执行此操作。",
  404: "没有找到这次会话。",
  413: "内容太长了，请缩短后再发送。",
  422: "内容不符合要求，请修改后再发送。",
  429: "您发送得太快了，稍后会自动重试。",
};

async function refusal(response: Response): Promise<ApiError> {
  const body = (await response.json().catch(() => null)) as { error?: { code?: string; message?: string } } | null;
  const { status } = response;
  const code = body?.error?.code ?? `http_${status}`;
  const message =
    body?.error?.message ??
    FALLBACK_MESSAGES[status] ??
    (status >= 500 ? "服务暂时繁忙，稍后会自动重试。" : "没有发送成功，请稍后重试。");
  if (status === 401) return new TokenError(status, code, message);
  if (status === 408 || status === 425 || status === 429 || status >= 500 || code === "in_progress") {
    return new BusyError(status, code, message, retryAfter(response));
  }
  return new ApiError(status, code, message);
}

function retryAfter(response: Response): number | null {
  const seconds = Number(response.headers.get("Retry-After") ?? NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : null;
}
