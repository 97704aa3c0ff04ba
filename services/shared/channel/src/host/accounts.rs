//! The accounts of one channel, as they are now.

use std::{collections::HashMap, sync::Arc};

use tokio::sync::watch;

use crate::{Account, AccountError};

/// Looks accounts up. Cheap to clone; a change of a resource shows without a restart. A look-up takes no lock that
/// anyone holds for long and copies nothing but a reference.
pub struct Accounts<S>(watch::Receiver<Arc<Table<S>>>);

impl<S> Clone for Accounts<S> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

/// Every account by its name, which is unique on one ingress.
pub(super) struct Table<S> {
    /// False until everything that is stored has been read once.
    pub loaded: bool,
    pub entries: HashMap<String, Entry<S>>,
}

impl<S> Default for Table<S> {
    fn default() -> Self {
        Self { loaded: false, entries: HashMap::new() }
    }
}

/// One account resource.
pub(super) struct Entry<S> {
    pub tenant: String,
    pub state: State<S>,
}

pub(super) enum State<S> {
    Active(Arc<Account<S>>),
    Disabled,
    Broken(AccountError),
}

/// Why there is no account to use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoAccount {
    /// The resources have not been read yet.
    #[error("the accounts are not loaded yet")]
    Loading,
    /// There is no such account on this channel, or it is another tenant's.
    #[error("there is no such account")]
    Unknown,
    /// `enabled: false`.
    #[error("the account is disabled")]
    Disabled,
    /// It cannot be used as it is written.
    #[error("the account is not usable: {0}")]
    Broken(AccountError),
}

impl NoAccount {
    /// A short stable word for metrics and answers.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Loading => "loading",
            Self::Unknown => "unknown_account",
            Self::Disabled => "account_disabled",
            Self::Broken(_) => "account_broken",
        }
    }
}

impl<S> Accounts<S> {
    pub(super) fn new(table: watch::Receiver<Arc<Table<S>>>) -> Self {
        Self(table)
    }

    /// These accounts and no others, for tests.
    pub fn fixed(accounts: impl IntoIterator<Item = Account<S>>) -> Self {
        let entries = accounts.into_iter().map(|account| {
            let (tenant, name) = (account.tenant.clone(), account.name.clone());
            (name, Entry { tenant, state: State::Active(Arc::new(account)) })
        });
        let table = Table { loaded: true, entries: entries.collect() };
        Self(watch::channel(Arc::new(table)).1)
    }

    /// The account at `/<channel>/<name>`: the tenant comes with it.
    ///
    /// # Errors
    /// See [`NoAccount`].
    pub fn by_path(&self, name: &str) -> Result<Arc<Account<S>>, NoAccount> {
        let table = self.0.borrow();
        match table.entries.get(name).map(|entry| &entry.state) {
            Some(State::Active(account)) => Ok(Arc::clone(account)),
            Some(State::Disabled) => Err(NoAccount::Disabled),
            Some(State::Broken(error)) => Err(NoAccount::Broken(error.clone())),
            None if table.loaded => Err(NoAccount::Unknown),
            None => Err(NoAccount::Loading),
        }
    }

    /// `tenant`'s account called `name`; another tenant's is unknown.
    ///
    /// # Errors
    /// See [`NoAccount`].
    pub fn of_tenant(&self, tenant: &str, name: &str) -> Result<Arc<Account<S>>, NoAccount> {
        let theirs = self.0.borrow().entries.get(name).is_some_and(|entry| entry.tenant != tenant);
        if theirs { Err(NoAccount::Unknown) } else { self.by_path(name) }
    }

    /// Completes once everything that is stored has been read.
    pub async fn loaded(&self) {
        // Fails when the loader has ended, which it does with the process.
        let _ = self.0.clone().wait_for(|table| table.loaded).await;
    }
}
