import { ApiError, BusyError, NetworkError, TokenError } from "./errors";
import type {
  Attachment,
  FeedbackReason,
  History,
  PageContext,
  SendResult,
  Standing,
  Suggestions,
  SurveyAnswers,
  Utterance,
} from "./message";
import type { Ticket, TicketRow } from "./ticket";

const REQUEST_TIMEOUT = 30_000;
const UPLOAD_TIMEOUT = 180_000;
const CHAT = "/api/v1/chat";

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
    return this.request<SendResult>("POST", `${CHAT}/messages`, {
      ...(conversationId ? { conversation_id: conversationId } : {}),
      client_message_id: message.client_message_id,
      ...(message.choice !== undefined ? { choice: message.choice } : { text: message.text }),
      context: message.context,
    });
  }

  history(conversationId: string, after: number): Promise<History> {
    return this.request<History>("GET", `${CHAT}/conversations/${encodeURIComponent(conversationId)}/messages?after=${after}`);
  }

  /** The conversation that this person had last, on whatever device; null for an anonymous visitor. */
  async current(): Promise<Standing | null> {
    return (await this.request<{ conversation: Standing | null }>("GET", `${CHAT}/conversations/current`)).conversation;
  }

  async read(conversationId: string, seq: number): Promise<void> {
    await this.request("POST", `${CHAT}/conversations/${encodeURIComponent(conversationId)}/read`, { seq });
  }

  async tickets(conversationId: string | null): Promise<TicketRow[]> {
    return (await this.request<{ items: TicketRow[] }>("GET", ticketPath("", conversationId))).items;
  }

  ticket(number: string, conversationId: string | null): Promise<Ticket> {
    return this.request<Ticket>("GET", ticketPath(`/${number}`, conversationId));
  }

  /** `say`, `urge`, `reopen`, `cancel`, `confirm` or `rate`; how the ticket stands afterwards. */
  act(number: string, verb: string, body: object, conversationId: string | null): Promise<Ticket> {
    return this.request<Ticket>("POST", ticketPath(`/${number}/${verb}`, conversationId), body);
  }

  answerSurvey(token: string, answers: SurveyAnswers): Promise<void> {
    return this.request<void>("POST", `${CHAT}/surveys/${token}`, { answers });
  }

  attach(number: string, file: File, conversationId: string | null): Promise<Attachment> {
    const form = new FormData();
    form.append("file", file);
    return this.request<Attachment>("POST", ticketPath(`/${number}/attachments`, conversationId), form);
  }

  attachment(number: string, id: string, conversationId: string | null): Promise<Blob> {
    return this.request<Blob>("GET", ticketPath(`/${number}/attachments/${id}`, conversationId), undefined, "blob");
  }

  /** Own service records, `.xlsx`. */
  records(conversationId: string | null): Promise<Blob> {
    return this.request<Blob>("GET", ticketPath("/export", conversationId), undefined, "blob");
  }

  suggestions(context: PageContext): Promise<Suggestions> {
    const query = new URLSearchParams();
    if (context.page) query.set("page", context.page);
    if (context.node) query.set("node", context.node);
    return this.request<Suggestions>("GET", `${CHAT}/suggestions?${query}`);
  }

  async feedback(
    conversationId: string,
    messageId: string,
    helpful: boolean,
    reason?: FeedbackReason,
  ): Promise<void> {
    await this.request("POST", `${CHAT}/feedback`, {
      conversation_id: conversationId,
      message_id: messageId,
      helpful,
      ...(reason ? { reason } : {}),
    });
  }

  private async request<T>(method: string, path: string, body?: unknown, as: "json" | "blob" = "json"): Promise<T> {
    const form = body instanceof FormData;
    const headers: Record<string, string> = { Accept: as === "json" ? "application/json" : "*/*" };
    if (body !== undefined && !form) headers["Content-Type"] = "application/json";
    const token = this.token();
    if (token) headers.Authorization = `Bearer ${token}`;

    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), form ? UPLOAD_TIMEOUT : this.timeout);
    try {
      const response = await fetch(this.server + path, {
        method,
        headers,
        body: body === undefined || form ? body : JSON.stringify(body),
        credentials: "omit",
        cache: "no-store",
        signal: abort.signal,
      });
      if (!response.ok) throw await refusal(response);
      return (response.status === 204 ? undefined : await response[as]()) as T;
    } catch (error) {
      if (error instanceof ApiError) throw error;
      throw new NetworkError();
    } finally {
      clearTimeout(timer);
    }
  }
}

function ticketPath(rest: string, conversationId: string | null): string {
  const own = conversationId ? `?conversation_id=${encodeURIComponent(conversationId)}` : "";
  return `${CHAT}/tickets${rest}${own}`;
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
