import { vi } from "vitest";
import type { AnswerMessage, Message, TextMessage } from "../src/chat/message";

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

  agentSays(text: string): TextMessage {
    return this.append({ ...base, from: "agent", type: "text", text }) as TextMessage;
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
    const body = init.body ? JSON.parse(init.body as string) : null;
    if (url.pathname === "/api/v1/chat/messages") return json(this.receive(body as Posted));
    if (url.pathname === "/api/v1/chat/suggestions") {
      return json({ greeting: "您好", items: [{ entry_id: "travel-001", title: `常问 ${url.searchParams.get("page")}` }] });
    }
    if (url.pathname === "/api/v1/chat/feedback") {
      this.feedback.push(body);
      return new Response(null, { status: 204 });
    }
    const id = url.pathname.match(/conversations\/([^/]+)\/messages/)?.[1];
    if (id !== this.conversationId) return json({ error: { code: "conversation_not_found", message: "没有找到。" } }, 404);
    const after = Number(url.searchParams.get("after"));
    return json({ messages: this.messages.filter((message) => message.seq > after) });
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

/** An unsigned JWT, good enough to tell one person from another. */
export function tokenOf(subject: string, extra: object = {}): string {
  const part = (claims: object) =>
    btoa(String.fromCharCode(...new TextEncoder().encode(JSON.stringify(claims))))
      .replace(/\+/g, "-")
      .replace(/\//g, "_")
      .replace(/=+$/, "");
  return `${part({ alg: "HS256" })}.${part({ iss: "host", sub: subject, name: "李晓雯", ...extra })}.sig`;
}
