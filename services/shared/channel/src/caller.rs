//! Who calls a provider.

use secrecy::SecretString;

use crate::{Account, Channel};

/// An account that calls its provider, with what it has to do so.
#[derive(Debug)]
pub struct Caller<'a, S> {
    /// The account.
    pub account: &'a Account<S>,
    /// Present when [`Provider::token`](crate::Provider::token) is.
    pub token: Option<&'a SecretString>,
    /// Our clock, milliseconds since 1970, for requests that are signed with a time.
    pub now_ms: i64,
}

/// The caller of channel `C`, as its methods take it.
pub type Calls<'a, C> = &'a Caller<'a, <C as Channel>::Settings>;

/// An account of channel `C`.
pub type AccountOf<C> = Account<<C as Channel>::Settings>;

impl<'a, S> Caller<'a, S> {
    /// A caller without a token.
    pub fn new(account: &'a Account<S>, now_ms: i64) -> Self {
        Self { account, token: None, now_ms }
    }

    /// The same caller with a token, where there is one.
    #[must_use]
    pub fn with_token(self, token: Option<&'a SecretString>) -> Self {
        Self { token, ..self }
    }
}

impl<S> Clone for Caller<'_, S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S> Copy for Caller<'_, S> {}
