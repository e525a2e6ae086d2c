import { call } from "./transport";

const ROOT = "/api/v1/console/integration";

export interface ApiClient {
  id: string;
  name: string;
  created_by: string;
  created_at: string;
  last_used_at: string | null;
  revoked_at: string | null;
}

export interface Webhook {
  id: string;
  url: string;
  kinds: string[];
  active: boolean;
  problem: string;
  created_by: string;
  created_at: string;
}

export interface WebhookDelivery {
  id: string;
  kind: string;
  state: "waiting" | "sent" | "failed";
  attempts: number;
  answer: string;
  next_at: string | null;
  at: string;
  body: string;
}

export interface WebhookChange {
  url?: string;
  kinds?: string[];
  active?: boolean;
  new_secret?: boolean;
}

export interface WebhookList {
  items: Webhook[];
  kinds: { value: string; label: string }[];
}

const hook = (id: string) => `${ROOT}/webhooks/${encodeURIComponent(id)}`;

export const integration = {
  clients: (signal?: AbortSignal) => call<ApiClient[]>(`${ROOT}/clients`, { signal }),
  addClient: (name: string) =>
    call<ApiClient & { key: string }>(`${ROOT}/clients`, { method: "POST", body: { name } }),
  revokeClient: (id: string) =>
    call<ApiClient>(`${ROOT}/clients/${encodeURIComponent(id)}/revoke`, { method: "POST" }),
  webhooks: (signal?: AbortSignal) => call<WebhookList>(`${ROOT}/webhooks`, { signal }),
  addWebhook: (url: string, kinds: string[]) =>
    call<Webhook & { secret: string }>(`${ROOT}/webhooks`, { method: "POST", body: { url, kinds } }),
  changeWebhook: (id: string, change: WebhookChange) =>
    call<Webhook & { secret?: string }>(hook(id), { method: "PATCH", body: change }),
  removeWebhook: (id: string) => call<void>(hook(id), { method: "DELETE" }),
  deliveries: (id: string, signal?: AbortSignal) => call<WebhookDelivery[]>(`${hook(id)}/deliveries`, { signal }),
  ping: (id: string) => call<WebhookDelivery>(`${hook(id)}/ping`, { method: "POST" }),
  again: (id: string) =>
    call<WebhookDelivery>(`${ROOT}/deliveries/${encodeURIComponent(id)}/again`, { method: "POST" }),
};
