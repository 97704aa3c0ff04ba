//! Stands in for the providers' clouds: it checks what we send as they would, fails on demand, reports deliveries,
//! and plays customers who write with genuine signatures and encryption.
//!
//! It is an independent peer: nothing here uses a channel's own code, so a mistake in a channel does not cancel out.
//!
//! Each provider's API is below [`Sandbox::base_url`]: `/sinch`, `/twilio`, `/wechat`, `/bottle/<account>`.

mod account;
mod customer;
mod faults;
mod page;
mod providers;
mod record;
mod sign;
mod state;

use std::{net::SocketAddr, sync::Arc};

use axum::Router;
use heliograph_channel::RawAccount;
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub use customer::{Call, Customer, Posted};
pub use faults::Fault;
pub use record::{Held, Problem, Sent};

use state::State;

/// How a sandbox behaves.
#[derive(Clone, Copy, Debug)]
pub struct SandboxOptions {
    /// Where it listens; port 0 picks a free one.
    pub addr: SocketAddr,
    /// Post delivery reports for what it accepts, as providers do.
    pub receipts: bool,
    /// Customers of [`Sandbox::play`] answer by themselves.
    pub replies: bool,
    /// Keep what is accepted, for [`Sandbox::sent`] and the page. What runs for long listens instead.
    pub remembers: bool,
}

impl Default for SandboxOptions {
    fn default() -> Self {
        Self { addr: SocketAddr::from(([127, 0, 0, 1], 0)), receipts: true, replies: true, remembers: true }
    }
}

/// A running sandbox; it stops when dropped.
pub struct Sandbox {
    addr: SocketAddr,
    state: Arc<State>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Sandbox {
    /// Starts listening.
    ///
    /// # Errors
    /// When the address is taken.
    pub async fn start(options: SandboxOptions) -> std::io::Result<Self> {
        let listener = TcpListener::bind(options.addr).await?;
        let addr = listener.local_addr()?;
        let stop = CancellationToken::new();
        let tasks = TaskTracker::new();
        let state = Arc::new(State::new(options, tasks.clone(), stop.clone()));
        let router: Router = providers::router(state.clone()).merge(page::router(state.clone()));
        let stopped = stop.clone().cancelled_owned();
        tasks.spawn(async move {
            // An error here means the listener is gone; whoever calls it sees refused connections.
            let _ = axum::serve(listener, router).with_graceful_shutdown(stopped).await;
        });
        Ok(Self { addr, state, stop, tasks })
    }

    /// `http://127.0.0.1:<port>`.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// The API base of the provider behind `channel` (and `provider`), for an account's `base_url`.
    pub fn provider_url(&self, channel: &str, provider: Option<&str>) -> String {
        format!("{}/{}", self.base_url(), provider.unwrap_or(channel))
    }

    /// Makes an account known: its credentials are checked from now on, and customers can write to it.
    /// `webhook_url` is where the provider would call us: `<ingress>/<channel>/<account>`.
    pub fn add_account(&self, account: &RawAccount, webhook_url: &str) {
        self.state.add_account(account, webhook_url);
    }

    /// The next requests to `provider` (`sinch`, `wechat`, …) meet these faults, one each, in order.
    pub fn inject(&self, provider: &str, faults: impl IntoIterator<Item = Fault>) {
        self.state.faults.push(provider, faults);
    }

    /// From now on every request to `provider` meets this fault, until it is lifted by `None`. What was injected comes
    /// first.
    pub fn ail(&self, provider: &str, fault: Option<Fault>) {
        self.state.faults.stand(provider, fault);
    }

    /// How many requests to `provider` have met a fault.
    pub fn faults_met(&self, provider: &str) -> usize {
        self.state.faults.met(provider)
    }

    /// Requests still to be met by a fault.
    pub fn faults_left(&self, provider: &str) -> usize {
        self.state.faults.left(provider)
    }

    /// Tells `listener` of every message a provider accepts, before the provider answers. The last listener counts.
    pub fn listen(&self, listener: impl Fn(&Sent) + Send + Sync + 'static) {
        self.state.listen(Arc::new(listener));
    }

    /// Everything accepted so far, in order.
    pub fn sent(&self) -> Vec<Sent> {
        self.state.sent()
    }

    /// The files the providers hold: those we uploaded, and those of customers.
    pub fn files(&self) -> Vec<Held> {
        self.state.files()
    }

    /// Everything we did that a provider would refuse.
    pub fn problems(&self) -> Vec<Problem> {
        self.state.problems()
    }

    /// Waits until `wanted` finds what it looks for among what was accepted. The caller sets the deadline.
    pub async fn wait_for<T>(&self, mut wanted: impl FnMut(&[Sent]) -> Option<T>) -> T {
        let mut changes = self.state.changes();
        loop {
            if let Some(found) = wanted(&self.state.sent()) {
                return found;
            }
            changes.changed().await.expect("the sandbox outlives its borrowers");
        }
    }

    /// A customer of an account. User ids are what the provider would call them: a number, an openid.
    ///
    /// # Panics
    /// When the account is not known.
    pub fn customer(&self, account: &str, user_id: &str, name: &str) -> Customer {
        let account = self.state.account(account).expect("the account was added before its customers write");
        Customer::new(self.state.clone(), account, user_id.to_owned(), name.to_owned())
    }

    /// Lets a customer write `lines` by itself: the first now, each other one after the next answer.
    pub fn play(&self, customer: Customer, lines: Vec<String>) {
        self.tasks.spawn(customer::play(customer, lines, self.state.changes(), self.stop.clone()));
    }

    /// Stops and waits for what is in hand.
    pub async fn stop(self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}
