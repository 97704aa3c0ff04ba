//! From a hello to a session: token, identity, and whose log it is.

use std::net::IpAddr;

use heliograph_channel::Account;
use heliograph_store::{
    KvError,
    rate::{Permit, Rate},
};

use crate::{
    Shared, WebChatSettings,
    feed::Place,
    frame::{Hello, close},
    identity::{self, User},
    log::LogError,
    session::{Session, Token, draw_id},
};

/// A visitor who may come in.
#[derive(Debug)]
pub(crate) struct Welcomed {
    pub session: Session,
    /// The next token.
    pub resume: String,
    /// The log is the one the client has counted.
    pub continued: bool,
}

/// Why a visitor may not.
#[derive(Debug)]
pub(crate) struct TurnedAway {
    pub close: u16,
    pub reason: &'static str,
}

impl From<KvError> for TurnedAway {
    fn from(error: KvError) -> Self {
        tracing::warn!(%error, "sessions are not available");
        Self { close: close::TRY_AGAIN, reason: "not available, come again" }
    }
}

impl From<LogError> for TurnedAway {
    fn from(error: LogError) -> Self {
        tracing::warn!(%error, "the visitor's log is not available");
        Self { close: close::TRY_AGAIN, reason: "not available, come again" }
    }
}

impl Shared {
    /// Lets a visitor in, or says why not.
    pub(crate) async fn greet(
        &self,
        account: &Account<WebChatSettings>,
        hello: &Hello,
        from: Option<IpAddr>,
        now_ms: i64,
    ) -> Result<Welcomed, TurnedAway> {
        let refused = |reason| TurnedAway { close: close::AUTH, reason };
        if hello.v != 1 {
            return Err(TurnedAway { close: close::BAD_FRAME, reason: "version 1 is spoken here" });
        }
        let limits = &account.settings.limits;
        let (tenant, name) = (account.tenant.as_str(), account.name.as_str());
        let user = match &hello.identity {
            None => None,
            Some(claim) => {
                let audience = limits.identity_audience.as_deref();
                let user = identity::verify(claim, &account.settings.identity, audience, now_ms);
                Some(user.map_err(|why| {
                    tracing::info!(tenant, account = name, %why, "an identity is refused");
                    refused("the identity is refused")
                })?)
            }
        };
        if let Some(shown) = &hello.resume {
            let token = Token::parse(shown).ok_or_else(|| refused("the token is not good"))?;
            let known = self.sessions.check(tenant, name, &token).await?;
            let known = known.ok_or_else(|| refused("the token is not good"))?;
            let another = match (&known.user, &user) {
                (Some(known), Some(user)) => known.id != user.id,
                _ => false,
            };
            // Another person than the session was proven for begins anew, without its thread.
            if !another {
                if known.user.is_none() && user.is_none() && limits.identity_required {
                    return Err(refused("an identity is required"));
                }
                return self.resume(account, known, &token, user, now_ms).await;
            }
        }
        if user.is_none() && limits.identity_required {
            return Err(refused("an identity is required"));
        }
        if let Some(from) = from {
            let per_minute = f64::from(limits.sessions_per_minute);
            let rate = Rate::new(per_minute / 60.0, per_minute);
            let bucket = ["webchat", name, "session", &network(from)];
            if let Permit::RetryAfter(_) = self.rate.take(tenant, &bucket, rate, 1.0).await {
                return Err(TurnedAway { close: close::RATE, reason: "too many new sessions" });
            }
        }
        let visitor = match &user {
            Some(user) => self.sessions.visitor_of(tenant, name, &user.id, None).await?,
            None => draw_id("v"),
        };
        let (session, token) = self.sessions.begin(tenant, name, visitor, user, now_ms).await?;
        // A client that counts without a token counts another log, unless it has counted nothing.
        Ok(Welcomed { session, resume: token.text(), continued: hello.last_seq == 0 })
    }

    async fn resume(
        &self,
        account: &Account<WebChatSettings>,
        known: Session,
        token: &Token,
        user: Option<User>,
        now_ms: i64,
    ) -> Result<Welcomed, TurnedAway> {
        let (tenant, name) = (account.tenant.as_str(), account.name.as_str());
        let mut visitor = known.visitor.clone();
        if let Some(user) = &user {
            // A guest who signs in keeps the thread; one who has said nothing yet gets the thread they have elsewhere.
            let place =
                Place { tenant: tenant.to_owned(), account: name.to_owned(), visitor: known.visitor.clone() };
            let has_thread = known.user.is_some() || self.hub.log().last(&place.subject()).await?.is_some();
            let thread = has_thread.then_some(known.visitor.as_str());
            let theirs = self.sessions.visitor_of(tenant, name, &user.id, thread).await?;
            if !has_thread {
                visitor = theirs;
            }
        }
        let learn = |session: &mut Session| {
            // Never downgraded: what was proven stays proven.
            if user.is_some() {
                session.user.clone_from(&user);
            }
            session.visitor.clone_from(&visitor);
        };
        let resumed = self.sessions.resume(tenant, name, token, now_ms, learn).await?;
        let (session, next) =
            resumed.ok_or(TurnedAway { close: close::AUTH, reason: "the token is not good" })?;
        let continued = session.visitor == known.visitor;
        Ok(Welcomed { session, resume: next.text(), continued })
    }
}

/// What counts as one network: an IPv4 address, or the /64 that one customer has in IPv6.
fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}")
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::network;

    #[test]
    fn neighbours_in_ipv6_are_one_network() {
        let network = |text: &str| network(text.parse().unwrap());
        assert_eq!(network("2001:db8:1:2::1"), network("2001:db8:1:2:ffff::9"));
        assert_ne!(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"));
        assert_eq!(network("::ffff:10.0.0.1"), network("10.0.0.1"));
        assert_ne!(network("10.0.0.1"), network("10.0.0.2"));
    }
}
