import { vi } from "vitest";
import type { AnswerMessage, Message, Standing, TextMessage } from "../src/chat/message";
import type { Ticket } from "../src/chat/ticket";

export interface Posted {
  conversation_id?: string;
  client_message_id: string;
  text?: string;
  choice?: string;
  context: Record<string, string>;
}

type Fault = "unreachable" | "reply-lost" | { status: number; code?: string; message?: string; headers?: HeadersInit };

/** The gateway in memory, behind `fetch`: idempotent, and broken on demand. */
export class FakeGateway {
  readonly posts: Posted[] = [];
  readonly feedback: unknown[] = [];
  readonly messages: Message[] = [];
  readonly authorizations: (string | null)[] = [];
  /** How often news were asked for. */
  polls = 0;
  /** Up to which message each `read` told. */
  readonly read: number[] = [];
  readonly tickets = new Map<string, Ticket>();
  /** What was done to tickets: `urge FW…`. */
  readonly deeds: { deed: string; body: unknown }[] = [];
  /** Meets the next deed. */
  refusal: { status: number; code: string; message: string } | null = null;
  standing: Standing = { id: "", mode: "bot", number: null, agent: null, read_seq: 0, unread: 0, open_tickets: 0 };
  /** Where the employee goes on, as `current` tells; the conversation that is asked for, unless set. */
  current: string | null = null;
  /** Each waits for its turn at the next request. */
  faults: Fault[] = [];
  /** Meets every request until it is lifted. */
  fault: Fault | null = null;
  conversationId = "c-1";
  /** Whether history tells which message of the client a message was. */
  tellsClientIds = true;
  private readonly replies = new Map<string, Message[]>();

  install(): this {
    vi.stubGlobal("fetch", (url: string, init: RequestInit) => this.answer(new URL(url), init));
    return this;
  }

  get questions(): (string | undefined)[] {
    return this.posts.map((post) => post.text ?? post.choice);
  }

  /** How many different messages were answered. */
  get answered(): number {
    return this.replies.size;
  }

  agentSays(text: string, more: Partial<TextMessage> = {}): TextMessage {
    return this.append({ ...base, from: "agent", type: "text", text, ...more } as TextMessage) as TextMessage;
  }

  tells(message: Omit<Message, "id" | "seq" | "at">): Message {
    return this.append({ ...base, ...message } as Message);
  }

  /** An agent takes the conversation over. */
  takes(agent: string, number = "FW20261122-0001"): void {
    Object.assign(this.standing, { mode: "agent", agent, number, open_tickets: 1 });
  }

  private async answer(url: URL, init: RequestInit): Promise<Response> {
    this.authorizations.push(new Headers(init.headers).get("Authorization"));
    const fault = this.fault ?? this.faults.shift();
    if (fault === "unreachable") throw new TypeError("Failed to fetch");
    if (fault && fault !== "reply-lost") {
      const error = { code: fault.code ?? "oops", message: fault.message ?? "服务暂时繁忙。" };
      return json({ error }, fault.status, fault.headers);
    }
    const response = this.route(url, init);
    if (fault === "reply-lost") throw new TypeError("Failed to fetch");
    return response;
  }

  private route(url: URL, init: RequestInit): Response {
    const body = typeof init.body === "string" ? JSON.parse(init.body) : null;
    if (url.pathname === "/api/v1/chat/messages") return json(this.receive(body as Posted));
    if (url.pathname === "/api/v1/chat/suggestions") {
      return json({ greeting: "您好", items: [{ entry_id: "travel-001", title: `常问 ${url.searchParams.get("page")}` }] });
    }
    if (url.pathname === "/api/v1/chat/feedback") {
      this.feedback.push(body);
      return new Response(null, { status: 204 });
    }
    if (url.pathname.startsWith("/api/v1/chat/tickets")) return this.ticketRoute(url, init);
    if (url.pathname === "/api/v1/chat/conversations/current") {
      return json({ conversation: this.current ? { ...this.standing, id: this.current } : null });
    }
    if (url.pathname.endsWith("/read")) {
      this.read.push(body.seq);
      this.standing.read_seq = Math.max(this.standing.read_seq, body.seq);
      return new Response(null, { status: 204 });
    }
    const id = url.pathname.match(/conversations\/([^/]+)\/messages/)?.[1];
    if (id !== this.conversationId) return json({ error: { code: "conversation_not_found", message: "没有找到。" } }, 404);
    const after = Number(url.searchParams.get("after"));
    this.polls += 1;
    return json({
      messages: this.messages.filter((message) => message.seq > after),
      conversation: { ...this.standing, id: this.conversationId },
      current: this.current ?? this.conversationId,
    });
  }

  private ticketRoute(url: URL, init: RequestInit): Response {
    const [number, verb] = url.pathname.split("/").slice(5);
    if (!number) return json({ items: [...this.tickets.values()] });
    const ticket = this.tickets.get(number);
    if (!ticket) return json({ error: { code: "ticket_not_found", message: "没有找到您名下的工单。" } }, 404);
    if (!verb) return json(ticket);
    if (this.refusal) {
      const { status, ...error } = this.refusal;
      this.refusal = null;
      return json({ error }, status);
    }
    if (verb === "attachments") {
      const file = (init.body as FormData).get("file") as File;
      this.deeds.push({ deed: `attach ${number}`, body: file.name });
      return json({ id: `file-${this.deeds.length}`, name: file.name, size: file.size }, 201);
    }
    this.deeds.push({ deed: `${verb} ${number}`, body: JSON.parse(init.body as string) });
    return json(ticket);
  }

  private receive(post: Posted): { conversation_id: string; messages: Message[] } {
    this.posts.push(post);
    let replies = this.replies.get(post.client_message_id);
    if (!replies) {
      const said = post.text ?? post.choice ?? "";
      this.append({
        ...base,
        from: "user",
        type: "text",
        text: said,
        client_message_id: this.tellsClientIds ? post.client_message_id : null,
      });
      replies = [
        this.append({ ...base, from: "bot", type: "answer", text: `答：${said}`, title: said, feedback: null } as AnswerMessage),
      ];
      this.replies.set(post.client_message_id, replies);
    }
    return { conversation_id: this.conversationId, messages: replies };
  }

  private append(message: Message): Message {
    const seq = this.messages.length + 1;
    const numbered = { ...message, seq, id: `m-${seq}` };
    this.messages.push(numbered);
    return numbered;
  }
}

const base = { id: "", seq: 0, at: "2026-11-21T06:00:00Z" };

function json(body: unknown, status = 200, headers: HeadersInit = {}): Response {
  return new Response(JSON.stringify(body), { status, headers: { "Content-Type": "application/json", ...headers } });
}

/** A ticket in work, with whatever differs. */
export function ticketOf(number: string, differs: Partial<Ticket> = {}): Ticket {
  return {
    number,
    status: "in_progress",
    status_label: "处理中",
    open: true,
    business_type: "差旅报销",
    urgency: "一般",
    description: "退票费能报吗",
    document_no: null,
    created_at: "2026-11-21T06:00:00Z",
    updated_at: "2026-11-21T06:00:00Z",
    agent: "孙敏",
    merged_into: null,
    rating: null,
    unread: 0,
    resolution: "",
    resolved_at: null,
    events: [{ at: "2026-11-21T06:00:00Z", kind: "filed", by: "我", mine: true, text: "提交工单", attachments: [] }],
    attachments: [],
    can: { say: true, attach: true, urge: true, reopen: false, cancel: true, confirm: false, rate: false },
    urge_at: null,
    satisfaction: null,
    ...differs,
  };
}

/** An unsigned JWT, good enough to tell one person from another. */
export function tokenOf(subject: string, extra: object = {}): string {
  const part = (claims: object) =>
    btoa(String.fromCharCode(...new TextEncoder().encode(JSON.stringify(claims))))
      .replace(/\+/g, "-")
      .replace(/\//g, "_")
      .replace(/=+$/, "");
  return `${part({ alg: "HS256" })}.${part({ iss: "host", sub: subject, name: "李晓雯", ...extra })}.sig`;
}
