import { reactive } from "vue";

export interface Employee {
  no: string;
  name: string;
  company: string;
  department: string;
  groups: string[];
}

const REMEMBERED = "fssc-demo|employee";
const ANONYMOUS = "anonymous";
const FIRST = "E1001";

/** Who uses the demo. A real host knows that from its own sign-in, and signs the token on its server. */
export const session = reactive({
  employees: [] as Employee[],
  /** Null: nobody is signed in. */
  employee: null as Employee | null,
  token: null as string | null,
  ready: false,
  problem: "",
});

export async function startSession(): Promise<void> {
  try {
    const listed = await get<Employee[] | { employees: Employee[] }>("employees");
    session.employees = Array.isArray(listed) ? listed : listed.employees;
    await signIn(localStorage.getItem(REMEMBERED) ?? FIRST);
  } catch {
    session.problem = "暂时取不到演示身份，当前以匿名访客浏览。请确认 FSSC Desk 服务已启动后刷新页面。";
  }
  session.ready = true;
}

/** `no` is an employee number, or `anonymous`. */
export async function signIn(no: string): Promise<void> {
  if (no === ANONYMOUS) {
    session.employee = null;
    session.token = null;
  } else {
    const { token, employee } = await get<{ token: string; employee: Employee }>(`token?employee=${encodeURIComponent(no)}`);
    session.employee = employee;
    session.token = token;
  }
  session.problem = "";
  localStorage.setItem(REMEMBERED, no);
}

/** A fresh token for the same employee. */
export async function renewToken(): Promise<string | null> {
  if (session.employee) await signIn(session.employee.no);
  return session.token;
}

async function get<T>(path: string): Promise<T> {
  const response = await fetch(`/demo/api/${path}`);
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return (await response.json()) as T;
}
