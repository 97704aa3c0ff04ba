//! The sandbox's memory.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use heliograph_channel::RawAccount;
use heliograph_runtime::http_client::{HttpClient, HttpClientOptions};
use tokio::sync::watch;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    SandboxOptions,
    account::Account,
    customer::Call,
    faults::Faults,
    record::{Held, Line, Problem, Sent},
};

/// Is told of what is accepted.
type Listener = Arc<dyn Fn(&Sent) + Send + Sync>;

/// A customer's phone: account, user id.
type Phone = (String, String);

pub(super) struct State {
    pub(super) options: SandboxOptions,
    pub(super) faults: Faults,
    pub(super) client: HttpClient,
    pub(super) tasks: TaskTracker,
    pub(super) stop: CancellationToken,
    memory: Mutex<Memory>,
    listener: Mutex<Option<Listener>>,
    changed: watch::Sender<u64>,
    counter: AtomicU64,
    /// Keeps ids of different runs apart, so that a broker that outlives us takes them for what they are: new.
    run: u64,
}

#[derive(Default)]
struct Memory {
    accounts: BTreeMap<String, Arc<Account>>,
    sent: Vec<Sent>,
    problems: Vec<Problem>,
    /// Files, by the provider's ids, which no two providers share.
    files: BTreeMap<String, Held>,
    phones: BTreeMap<Phone, Vec<Line>>,
    names: BTreeMap<Phone, String>,
    /// Messages left in a WeChat customer's window.
    windows: BTreeMap<Phone, u32>,
    /// What a provider keeps in mind under a name: reply tokens, ids that came before.
    notes: BTreeMap<String, String>,
}

impl State {
    pub(super) fn new(options: SandboxOptions, tasks: TaskTracker, stop: CancellationToken) -> Self {
        Self {
            options,
            faults: Faults::default(),
            client: HttpClient::new(&HttpClientOptions::default())
                .expect("the default options make a client"),
            tasks,
            stop,
            memory: Mutex::default(),
            listener: Mutex::default(),
            changed: watch::Sender::new(0),
            counter: AtomicU64::new(1),
            run: rand::random(),
        }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn add_account(&self, raw: &RawAccount, webhook_url: &str) {
        if let Some(account) = Account::new(raw, webhook_url) {
            self.memory().accounts.insert(account.name.clone(), Arc::new(account));
        }
    }

    pub(super) fn account(&self, name: &str) -> Option<Arc<Account>> {
        self.memory().accounts.get(name).cloned()
    }

    /// The account of `provider` whose setting `name` is `value`.
    pub(super) fn account_by(&self, provider: &str, name: &str, value: &str) -> Option<Arc<Account>> {
        let memory = self.memory();
        let mut accounts = memory.accounts.values();
        accounts.find(|account| account.provider == provider && account.setting(name) == value).cloned()
    }

    pub(super) fn accounts(&self) -> Vec<Arc<Account>> {
        self.memory().accounts.values().cloned().collect()
    }

    /// A number no other message of this sandbox or an earlier one has, in hex.
    pub(super) fn next_id(&self) -> String {
        let count = self.counter.fetch_add(1, Ordering::Relaxed);
        format!("{:016x}{count:016x}", self.run)
    }

    /// A decimal id, for providers that number their messages.
    pub(super) fn next_number(&self) -> u64 {
        (self.run >> 20 << 16).wrapping_add(self.counter.fetch_add(1, Ordering::Relaxed)) >> 1
    }

    pub(super) fn listen(&self, listener: Listener) {
        *self.listener.lock().unwrap_or_else(PoisonError::into_inner) = Some(listener);
    }

    pub(super) fn accept(&self, sent: Sent) {
        let listener = self.listener.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(listener) = listener {
            listener(&sent);
        }
        if !self.options.remembers {
            return;
        }
        let mut memory = self.memory();
        let line = Line { from_customer: false, text: sent.text.clone(), at_ms: sent.at_ms, status: None };
        memory.phones.entry((sent.account.clone(), sent.user_id.clone())).or_default().push(line);
        memory.sent.push(sent);
        drop(memory);
        self.changed.send_modify(|version| *version += 1);
    }

    pub(super) fn problem(&self, provider: &'static str, rule: impl Into<String>) {
        let problem = Problem { provider, rule: rule.into() };
        tracing::warn!(provider = problem.provider, rule = %problem.rule, "the provider refuses a request");
        self.memory().problems.push(problem);
        self.changed.send_modify(|version| *version += 1);
    }

    /// A customer wrote, and the ingress answered.
    pub(super) fn wrote(&self, account: &str, user_id: &str, name: &str, text: &str, status: Option<u16>) {
        let mut memory = self.memory();
        let phone = (account.to_owned(), user_id.to_owned());
        let line = Line { from_customer: true, text: text.to_owned(), at_ms: now_ms(), status };
        memory.phones.entry(phone.clone()).or_default().push(line);
        memory.windows.insert(phone.clone(), 5);
        memory.names.insert(phone, name.to_owned());
        drop(memory);
        self.changed.send_modify(|version| *version += 1);
    }

    /// Uses up one message of a customer's window; `false` when none is left.
    pub(super) fn use_window(&self, account: &str, user_id: &str) -> bool {
        let mut memory = self.memory();
        match memory.windows.get_mut(&(account.to_owned(), user_id.to_owned())) {
            Some(left) if *left > 0 => {
                *left -= 1;
                true
            }
            _ => false,
        }
    }

    pub(super) fn note(&self, name: &str, value: &str) {
        self.memory().notes.insert(name.to_owned(), value.to_owned());
    }

    pub(super) fn noted(&self, name: &str) -> Option<String> {
        self.memory().notes.get(name).cloned()
    }

    /// What stands under a name, which is forgotten then.
    pub(super) fn take_note(&self, name: &str) -> Option<String> {
        self.memory().notes.remove(name)
    }

    pub(super) fn sent(&self) -> Vec<Sent> {
        self.memory().sent.clone()
    }

    pub(super) fn problems(&self) -> Vec<Problem> {
        self.memory().problems.clone()
    }

    pub(super) fn hold(&self, file: Held) {
        self.memory().files.insert(file.id.clone(), file);
        self.changed.send_modify(|version| *version += 1);
    }

    /// A file that an account's provider holds; counts as fetched.
    pub(super) fn fetch(&self, account: &str, id: &str) -> Option<Held> {
        let mut memory = self.memory();
        let file = memory.files.get_mut(id).filter(|file| file.account == account)?;
        file.fetched += 1;
        Some(file.clone())
    }

    /// Whether an account's provider holds a file.
    pub(super) fn holds(&self, account: &str, id: &str) -> bool {
        self.memory().files.get(id).is_some_and(|file| file.account == account)
    }

    pub(super) fn files(&self) -> Vec<Held> {
        self.memory().files.values().cloned().collect()
    }

    pub(super) fn phones(&self) -> Vec<(Phone, String, Vec<Line>)> {
        let memory = self.memory();
        let name = |phone: &Phone| memory.names.get(phone).cloned().unwrap_or_default();
        memory.phones.iter().map(|(phone, lines)| (phone.clone(), name(phone), lines.clone())).collect()
    }

    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Posts to us as a provider would: until it is answered 2xx or 4xx, a bounded number of times.
    pub(super) async fn post(&self, call: &Call) -> Option<u16> {
        const TRIES: u32 = 6;
        for attempt in 0..TRIES {
            let mut request = self.client.post(call.url.as_str()).body(call.body.clone());
            for (name, value) in &call.headers {
                request = request.header(*name, value);
            }
            match self.client.send(request).await {
                Ok(response) if !response.status().is_server_error() => {
                    return Some(response.status().as_u16());
                }
                _ => {
                    let wait = std::time::Duration::from_millis(200 << attempt);
                    tokio::select! {
                        () = tokio::time::sleep(wait) => {}
                        () = self.stop.cancelled() => return None,
                    }
                }
            }
        }
        None
    }
}

pub(super) fn now_ms() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}
