//! The suite every channel passes.
//!
//! A channel's test says who it is, and the suite does the rest:
//!
//! ```ignore
//! #[test]
//! fn the_channel_conforms() {
//!     Conformance::new(Sms, account())
//!         .fixtures(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/sinch"))
//!         .signed(|account, request| sign_like_sinch(account, request))
//!         .stale_after(Duration::from_secs(300))
//!         .inbound()
//!         .outbound()
//!         .finish();
//! }
//! ```
//!
//! `account()` is a [`RawAccount`] with made-up secrets of at least eight characters; the suite looks for them in
//! everything that is printed, logged, answered or put into a URL. What it reads below `fixtures`:
//!
//! | folder | files | what they are |
//! | --- | --- | --- |
//! | `inbound/` | `.json .xml .form .txt` bodies, `.http` requests | genuine requests; the suite signs them |
//! | `vectors/` | `.http` | requests signed by somebody else's implementation, played as they are |
//! | `refused/` | the same | requests that are refused; `# expect:` says how |
//! | `outbound/` | `.json` | messages (`heliograph.v1.Message`, canonical JSON) besides the suite's own samples |
//! | `answers/` | `.json` | a provider's answer and the outcome it means (see below) |
//! | `snapshots/` | `.snap` | what came out of all that; `INSTA_UPDATE=always` writes them, a person reads them |
//!
//! A `.http` file is a request as it is on the wire, its path what follows `/<channel>/<account>`; one line break at
//! its end is not part of the body. A fixture may begin with lines for the suite:
//!
//! ```text
//! # now: 1718461425        our clock when it arrives, seconds since 1970
//! # sign: no               play it as it is
//! # expect: 401            the status it is answered with, instead of any 2xx
//! POST /status?x=1
//! X-Signature: abc
//!
//! {"the": "body"}
//! ```
//!
//! An answer: `{"status": 429, "headers": {"Retry-After": "7"}, "body": {…}, "expect": "rate_limited", "code": "21611",
//! "provider_message_id": "SM1", "retry_after": 7, "token_expired": true}`; `expect` is a word of
//! `Outcome::code`, what follows it is checked when it is given.

mod answer;
mod anything;
mod corpus;
mod fixture;
mod forgery;
mod inbound;
mod outbound;
mod play;
mod samples;
mod secrets;
#[cfg(test)]
mod tests;

use std::{
    any::Any,
    fmt::Debug,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use heliograph_channel::{Account, Channel, Provider, RawAccount, Settings, Webhook, WebhookRequest};
use serde::Serialize;

use fixture::Fixture;
use secrets::{Journal, Secrets};

type Signer = Box<dyn Fn(&RawAccount, &mut WebhookRequest)>;

/// One channel account under test. Collects what is wrong; [`finish`](Self::finish) says all of it.
pub struct Conformance<C: Channel> {
    channel: Arc<C>,
    raw: RawAccount,
    fixtures: PathBuf,
    sign: Option<Signer>,
    stale_after: Option<Duration>,
    token_in_url: bool,
    any_content: bool,
    body_signed: bool,
    message_id: &'static str,
    ignored: Vec<&'static str>,
    secrets: Secrets,
    journal: Journal,
    checks: usize,
    failures: Vec<String>,
}

impl<C> Conformance<C>
where
    C: Channel,
    C::Settings: Debug,
{
    /// `channel` with an account that must load.
    pub fn new(channel: C, account: RawAccount) -> Self {
        Self {
            channel: Arc::new(channel),
            secrets: Secrets::of(&account),
            raw: account,
            fixtures: PathBuf::from("fixtures"),
            sign: None,
            stale_after: None,
            token_in_url: false,
            any_content: false,
            body_signed: true,
            message_id: "their-1",
            ignored: Vec::new(),
            journal: Journal::default(),
            checks: 0,
            failures: Vec::new(),
        }
    }

    /// Where the fixtures are: `concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures")`.
    #[must_use]
    pub fn fixtures(mut self, folder: impl Into<PathBuf>) -> Self {
        self.fixtures = folder.into();
        self
    }

    /// How the provider signs: adds headers or query parameters to the request, or seals its body, as of
    /// `request.now_ms`. Without it nothing is known of forgeries, so leave it out only where the provider signs
    /// nothing.
    #[must_use]
    pub fn signed(mut self, sign: impl Fn(&RawAccount, &mut WebhookRequest) + 'static) -> Self {
        self.sign = Some(Box::new(sign));
        self
    }

    /// A request signed longer ago than this is refused.
    #[must_use]
    pub fn stale_after(mut self, age: Duration) -> Self {
        self.stale_after = Some(age);
        self
    }

    /// Headers or query parameters that come with a signature and that the channel need not look at, because the rest
    /// proves the request: they may be absent or anything.
    #[must_use]
    pub fn ignores(mut self, parts: &[&'static str]) -> Self {
        self.ignored.extend_from_slice(parts);
        self
    }

    /// The provider proves who it is by a secret alone, so that a changed body cannot be told.
    #[must_use]
    pub fn body_is_not_signed(mut self) -> Self {
        self.body_signed = false;
        self
    }

    /// A message as the provider names it, where its ids have a form: what samples reply and react to.
    #[must_use]
    pub fn message_id(mut self, provider_message_id: &'static str) -> Self {
        self.message_id = provider_message_id;
        self
    }

    /// The provider takes its access token in the URL and nowhere else.
    #[must_use]
    pub fn token_in_url(mut self) -> Self {
        self.token_in_url = true;
        self
    }

    /// What comes in is content of our own model, so that fixtures need not show each kind the channel says it receives.
    #[must_use]
    pub fn carries_any_content(mut self) -> Self {
        self.any_content = true;
        self
    }

    /// Checks what comes in: fixtures, signatures, repeats, bad input.
    #[must_use]
    pub fn inbound(mut self) -> Self
    where
        C: Webhook,
    {
        let Some(account) = self.account() else { return self };
        let journal = self.journal.clone();
        journal.record(|| inbound::check(&mut self, &account));
        self
    }

    /// Checks what goes out: every kind of content the account can show, answers, tokens.
    #[must_use]
    pub fn outbound(mut self) -> Self
    where
        C: Provider,
    {
        let Some(account) = self.account() else { return self };
        let journal = self.journal.clone();
        journal.record(|| outbound::check(&mut self, &account));
        self
    }

    /// Plays what fuzzing kept in `folder` (`tests/fuzz/corpus/<target>`, which says how): nothing may happen to it, whether it
    /// is refused or read.
    #[must_use]
    pub fn corpus(mut self, folder: impl AsRef<Path>) -> Self
    where
        C: Webhook + Provider,
    {
        let Some(account) = self.account() else { return self };
        let journal = self.journal.clone();
        journal.record(|| corpus::check(&mut self, &account, folder.as_ref()));
        self
    }

    /// Fails the test with everything that was found wrong.
    ///
    /// # Panics
    /// When anything was.
    pub fn finish(self) {
        let (name, checks) = (self.channel.name(), self.checks);
        assert!(checks > 5, "{name}: hardly anything was checked; call `inbound` or `outbound` first");
        let failures = self.failures();
        let (count, list) = (failures.len(), failures.join("\n  "));
        assert!(failures.is_empty(), "{name}: {count} of some {checks} checks failed:\n\n  {list}\n");
    }

    /// Everything that was found wrong, a line each.
    pub fn failures(mut self) -> Vec<String> {
        self.check_account();
        self.secrets_stay_secret("the log", &self.journal.text());
        self.failures
    }

    fn account(&mut self) -> Option<Account<C::Settings>> {
        match self.raw.load::<C::Settings>() {
            Ok(account) => Some(account),
            Err(error) => {
                self.fail("account", format!("the account under test cannot be loaded: {error}"));
                None
            }
        }
    }

    /// What is printed of an account, and what is said of one that lacks a secret.
    fn check_account(&mut self) {
        let Some(account) = self.account() else { return };
        self.secrets_stay_secret("Debug of the account", &format!("{account:?} {:?}", self.raw));
        let capabilities = self.channel.capabilities(&account);
        let name = self.channel.name();
        self.expect("capabilities", capabilities.channel == name, || {
            format!("`channel` is {:?} and should be {name:?}", capabilities.channel)
        });
        let class = capabilities.work_class.clone();
        self.expect("capabilities", ["chat", "async", "voice"].contains(&class.as_str()), || {
            format!("`work_class` is {class:?}")
        });
        self.expect("capabilities", capabilities.text_limit == 0 || capabilities.text_unit != 0, || {
            "`text_limit` without `text_unit`".to_owned()
        });
        let without = RawAccount { secrets: heliograph_channel::Secrets::default(), ..self.raw.clone() };
        if let Err(error) = without.load::<C::Settings>() {
            self.expect("account", error.field.starts_with("spec."), || {
                format!("an error names the field as `spec.…`, not {:?}", error.field)
            });
        }
        let mut odd = self.raw.clone();
        if let serde_json::Value::Object(settings) = &mut odd.settings {
            settings.insert("no_such_setting".to_owned(), true.into());
        }
        let refused = C::Settings::build_from(&odd);
        self.expect("account", refused, || "an unknown setting is not refused".to_owned());
    }

    fn expect(&mut self, about: &str, holds: bool, problem: impl FnOnce() -> String) {
        self.checks += 1;
        if !holds {
            self.failures.push(format!("{about}: {}", problem()));
        }
    }

    fn fail(&mut self, about: &str, problem: impl Into<String>) {
        self.expect(about, false, || problem.into());
    }

    fn secrets_stay_secret(&mut self, about: &str, text: &str) {
        let found = self.secrets.found_in(text);
        self.expect(about, found.is_empty(), || format!("holds the secret {}", found.join(", ")));
    }

    /// Runs `work`; a panic is a failure and not the end.
    fn guarded<T>(&mut self, about: &str, work: impl FnOnce() -> T) -> Option<T> {
        match catch_unwind(AssertUnwindSafe(work)) {
            Ok(value) => Some(value),
            Err(panic) => {
                self.fail(about, format!("panicked: {}", panic_text(&*panic)));
                None
            }
        }
    }

    /// Compares `value` with the snapshot called `name`.
    fn snapshot(&mut self, name: &str, value: &impl Serialize) {
        let mut settings = insta::Settings::new();
        settings.set_snapshot_path(self.fixtures.join("snapshots"));
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        let value = serde_json::to_value(value).unwrap_or_default();
        self.guarded(&format!("snapshot {name}"), || {
            settings.bind(|| insta::assert_json_snapshot!(name, value));
        });
        self.checks += 1;
    }

    fn files(&mut self, folder: &str) -> Vec<Fixture> {
        match fixture::read_all(&self.fixtures.join(folder)) {
            Ok(fixtures) => fixtures,
            Err(problem) => {
                self.fail(folder, problem);
                Vec::new()
            }
        }
    }
}

/// Whether settings refuse what is wrong with them.
trait Refuses: Settings {
    fn build_from(raw: &RawAccount) -> bool {
        raw.load::<Self>().is_err()
    }
}

impl<S: Settings> Refuses for S {}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
}
