// Types that several modules share, for the check of types in `tests/browser/run`. Nothing serves this file.

// What the API answers: openapi.json describes it.

interface PersonName {
  firstName: string;
  lastName: string;
}

interface Account {
  id: string;
  company: string;
  plan: string;
  status: 'active' | 'closed';
  proLevel: boolean;
}

type DeliveryStatus =
  | 'sending'
  | 'sent'
  | 'delayed'
  | 'delivered'
  | 'auto_replied'
  | 'bounced'
  | 'complained'
  | 'rejected'
  | 'failed';

interface Delivery {
  status: DeliveryStatus;
  at?: string;
  reason?: string;
  advice?: string;
}

interface Member extends PersonName {
  id: string;
  email: string;
  role: 'owner' | 'member';
  status: 'active' | 'invited' | 'expired' | 'removed';
  lastSentAt?: string;
  expiresAt?: string;
  activeSince?: string;
  removedAt?: string;
  delivery?: Delivery;
  /** The person whose mistyped invite this one replaces. */
  replaces?: string;
}

interface Removal {
  id: string;
  status: 'removed';
  removedAt: string;
}

type Ability =
  | 'account:use'
  | 'members:list'
  | 'members:invite'
  | 'members:resend'
  | 'members:remove'
  | 'account:update'
  | 'account:close';

interface Login {
  account: Account;
  member: Member;
  abilities: Ability[];
}

interface Members {
  account: Account;
  abilities: Ability[];
  members: Member[];
  cursor?: string;
}

interface Feedback {
  at: string;
  email: string;
  accountId: string;
  send: number;
  kind: string;
  status: DeliveryStatus;
  reason?: string;
  advice?: string;
  diagnostic?: string;
  smtpStatus?: string;
}

interface FeedbackList {
  feedback: Feedback[];
  cursor?: string;
}

interface Suppression {
  /** Left out if the mail service did not say. */
  listed?: boolean;
  reason?: 'bounce' | 'complaint';
  since?: string;
}

/** A person's place in an account. */
interface SupportCase {
  account: Account;
  member: Member;
  verdict: string;
}

interface SupportPerson {
  email: string;
  verdict: string;
  suppression: Suppression;
  accounts: SupportCase[];
  feedback: Feedback[];
}

interface ProblemDocument {
  code?: string;
  title?: string;
  detail?: string;
  requestId?: string;
  errors?: { field: string; message: string }[];
  accounts?: { id: string; company: string }[];
}

interface Api {
  login: (body: { accountId?: string; inviteToken?: string }) => Promise<Login>;
  listMembers: (account: string, query: Query, signal: AbortSignal) => Promise<Members>;
  inviteMember: (account: string, body: Record<string, string>, key: string) => Promise<Member>;
  resendInvite: (account: string, id: string, email: string | undefined, key: string) => Promise<Member>;
  removeMember: (account: string, id: string) => Promise<Removal>;
  updateMember: (account: string, id: string, body: Record<string, string>) => Promise<Member>;
  updateAccount: (id: string, body: Record<string, string>) => Promise<Account>;
  closeAccount: (id: string) => Promise<Account>;
  lookUp: (email: string) => Promise<SupportPerson>;
  listFeedback: (cursor?: string) => Promise<FeedbackList>;
  liftSuppression: (email: string) => Promise<unknown>;
}

// What the page adds.

/** A refusal as a screen shows it: a `Problem`, a `SignInError`, or one of the page's own. */
interface Refusal {
  code: string;
  detail: string;
  requestId?: string;
}

/** Where the person is, and how a tab says that this has changed. */
interface Place {
  account: Account;
  /** The person's own row. */
  member: Member;
  abilities: Ability[];
  can: (ability: Ability) => boolean;
  /** For a refusal that ends the person's access. */
  refused: (error: unknown) => void;
  /** Shows the page's head anew. */
  changed: () => void;
}

interface Session {
  idToken: string;
  claims: Record<string, any>;
}

type Attributes = Partial<GlobalEventHandlers> & { [name: string]: unknown };

type Child = Node | string | number | null | undefined | false | Child[];

type MemberList = ReturnType<typeof import('./assets/member-list.js').memberList>;

type Icon = keyof typeof import('./assets/icons.js').SHAPES;

/** How a state looks: a word, with a picture and a colour beside it. */
type Look = [text: string, picture: Icon, tone: 'calm' | 'good' | 'warn' | 'bad'];

type Query = Record<string, string | number | undefined>;

/** A value that the tab remembers. */
interface Slot<T> {
  get: () => T | null;
  set: (value: T) => void;
  clear: () => void;
  take: () => T | null;
}

interface MenuItem {
  label: string;
  icon: Icon;
  isDanger?: boolean;
  /** How long the item still has to wait. */
  secondsLeft?: () => number;
  run: () => void;
}

/** What a dialog asks, and how to carry out the answer. */
interface Question<T> {
  title: string;
  text?: Child[];
  fields?: Field[];
  /** What the button that goes on says. */
  submit: string;
  /** What it says meanwhile. */
  busy: string;
  /** Whether it cannot be undone. */
  isDanger?: boolean;
  /** The field that a problem is about. */
  fieldOf?: (problem: import('./assets/api.js').Problem) => string | undefined;
  carryOut: (values: Record<string, string>) => Promise<T>;
}

interface Field {
  /** As the API calls it. */
  name: string;
  label: string;
  /** What it holds at first. */
  value?: string;
  hint?: string;
  type?: string;
  autocomplete?: string;
  /** What has to be typed to go on. */
  mustEqual?: string;
  /** What to ask about a value before it is sent once more. */
  doubt?: (value: string) => string | undefined;
}

/** What a login came to. */
interface Outcome {
  icon: Icon;
  title: string;
  /** What to do next, the most likely first. */
  steps: string[];
  /** What the main button does: sign in, sign in as somebody else, or try the same again. `wait`: the next step is not on this page. */
  action: 'again' | 'another' | 'retry' | 'wait';
  /** Whether the link that was opened is of no more use. */
  usesUpInvite?: boolean;
}
