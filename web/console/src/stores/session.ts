import { defineStore } from "pinia";
import { computed, ref } from "vue";

import { session as api } from "../api/client";
import { ApiError } from "../api/transport";
import type { User } from "../api/types";
import { mayAs, roleName } from "../roles";

export const useSession = defineStore("session", () => {
  const user = ref<User | null>(null);
  const known = ref(false);
  const unreachable = ref<string | null>(null);
  const expired = ref(false);
  let waiting: ((back: boolean) => void)[] = [];

  const roles = computed(() => (user.value?.roles ?? []).map(roleName).join("、"));

  /** Whether the user holds this role, or is an administrator. */
  const may = (role: string) => mayAs(user.value?.roles ?? [], role);

  /** Asks the gateway once who is signed in; a gateway that cannot be reached is told apart from nobody. */
  async function restore(): Promise<void> {
    unreachable.value = null;
    try {
      user.value = (await api.current()).user;
      known.value = true;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      user.value = null;
      if (error.unauthorized) known.value = true;
      else unreachable.value = error.message;
    }
  }

  async function signIn(username: string, password: string): Promise<void> {
    user.value = (await api.open(username, password)).user;
    known.value = true;
    settle(true);
  }

  /** A session that has ended already is signed out of. */
  async function signOut(): Promise<void> {
    try {
      await api.close();
    } catch (error) {
      if (!(error instanceof ApiError && error.unauthorized)) throw error;
    }
    user.value = null;
    known.value = true;
    settle(false);
  }

  /** The session has ended while somebody was at work: what they see stays, and they are asked for their password. True once
   * they are signed in again; false at once where nobody was. */
  function lapse(): Promise<boolean> {
    if (!user.value) return Promise.resolve(false);
    expired.value = true;
    return new Promise((resolve) => waiting.push(resolve));
  }

  function settle(back: boolean): void {
    expired.value = false;
    const told = waiting;
    waiting = [];
    told.forEach((tell) => tell(back));
  }

  return { user, known, unreachable, expired, roles, may, restore, signIn, signOut, lapse };
});
