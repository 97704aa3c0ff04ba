//! Sessions: what a resume token stands for.
//!
//! A token is `rt_<session>_<secret>`; the secret is stored as its hash alone. Every hello gets a new one. The one that
//! was shown, and those given out since, stay good until a newer one is shown: a lost welcome locks nobody out, and tabs
//! that share a token do not lock out each other.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use heliograph_domain::ids;
use heliograph_fabric::async_nats::jetstream::{self, kv};
use heliograph_store::{KvBucket, KvError, kv::Change};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{identity::User, log::KEPT};

/// The bucket of sessions.
pub(crate) const SESSIONS: &str = "HG_WEBCHAT_SESSIONS";
/// Tokens older than the one that was shown are good for so long, for tabs that are about to show them.
const GRACE_MS: i64 = 10 * 60 * 1000;
/// Tokens a session remembers.
const TOKENS: usize = 8;

/// A token that was given out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Issued {
    /// SHA-256 of its secret, hex.
    pub hash: String,
    /// When, milliseconds since 1970.
    pub at_ms: i64,
}

/// What is stored of a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Session {
    /// `s_…`.
    pub id: String,
    /// Whose log it reads: `v_…` or `u_…`.
    pub visitor: String,
    /// Proven once, proven for the session's life.
    pub user: Option<User>,
    /// Newest last.
    pub tokens: Vec<Issued>,
    /// When it began.
    pub created_ms: i64,
}

impl Session {
    /// Whether `hash` is that of a good token.
    pub(crate) fn accepts(&self, hash: &str) -> bool {
        // Hashes of 256 random bits: how long comparing takes tells nobody anything.
        self.tokens.iter().any(|issued| issued.hash == hash)
    }

    /// Gives out another token to the one who showed `shown`; false when that is not a good one.
    pub(crate) fn rotate(&mut self, shown: &str, next: Issued) -> bool {
        let Some(at) = self.tokens.iter().position(|issued| issued.hash == shown) else { return false };
        let now = next.at_ms;
        let mut index = 0;
        self.tokens.retain(|issued| {
            let keep = index >= at || issued.at_ms + GRACE_MS > now;
            index += 1;
            keep
        });
        // Never the one that was shown: the client may have no other.
        while self.tokens.len() >= TOKENS {
            let from = usize::from(self.tokens[0].hash == shown);
            self.tokens.remove(from);
        }
        self.tokens.push(next);
        true
    }
}

/// A token taken apart.
pub(crate) struct Token {
    session: String,
    secret: String,
}

impl Token {
    /// Draws a new one for `session`.
    pub(crate) fn draw(session: &str) -> Self {
        let secret = URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>());
        Self { session: session.to_owned(), secret }
    }

    /// Reads what a client shows.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (session, secret) = text.strip_prefix("rt_")?.split_once('_')?;
        let sane = session.len() == 26
            && session.bytes().all(|byte| byte.is_ascii_alphanumeric())
            && secret.len() == 43;
        sane.then(|| Self { session: format!("s_{session}"), secret: secret.to_owned() })
    }

    /// What the client is given.
    pub(crate) fn text(&self) -> String {
        format!("rt_{}_{}", self.session.trim_start_matches("s_"), self.secret)
    }

    /// What is stored of it.
    pub(crate) fn hash(&self) -> String {
        hex::encode(Sha256::digest(self.secret.as_bytes()))
    }
}

/// An id nobody can guess, such as `v_…`.
pub(crate) fn draw_id(prefix: &str) -> String {
    let random = hex::encode(rand::random::<[u8; 16]>());
    ids::derive(prefix, &[&random])
}

/// Where sessions are kept. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Sessions {
    bucket: KvBucket,
}

impl Sessions {
    /// Opens the bucket, and makes it when it is not there.
    ///
    /// # Errors
    /// When the broker refuses.
    pub(crate) async fn provision(context: &jetstream::Context, replicas: usize) -> Result<Self, KvError> {
        let config = kv::Config {
            bucket: SESSIONS.to_owned(),
            description: "Web chat sessions".to_owned(),
            history: 1,
            max_age: KEPT,
            num_replicas: replicas,
            ..kv::Config::default()
        };
        Ok(Self { bucket: open_or_make(context, config).await? })
    }

    fn key(tenant: &str, account: &str, session: &str) -> String {
        format!("session.{tenant}.{account}.{session}")
    }

    fn user_key(tenant: &str, account: &str, user: &str) -> String {
        format!("user.{tenant}.{account}.{}", user_visitor(tenant, account, user))
    }

    /// The session behind a token, without giving out another.
    ///
    /// # Errors
    /// See [`KvError`].
    pub(crate) async fn check(
        &self,
        tenant: &str,
        account: &str,
        token: &Token,
    ) -> Result<Option<Session>, KvError> {
        let found = self.bucket.get_latest::<Session>(&Self::key(tenant, account, &token.session)).await?;
        Ok(found.map(|found| found.value).filter(|session| session.accepts(&token.hash())))
    }

    /// Continues the session behind `shown`, with another token and what became known since; none when the token is
    /// not good.
    ///
    /// # Errors
    /// See [`KvError`].
    pub(crate) async fn resume(
        &self,
        tenant: &str,
        account: &str,
        shown: &Token,
        now_ms: i64,
        learn: impl Fn(&mut Session) + Send,
    ) -> Result<Option<(Session, Token)>, KvError> {
        let next = Token::draw(&shown.session);
        let key = Self::key(tenant, account, &shown.session);
        let resumed = self
            .bucket
            .modify(&key, |session: Option<Session>| {
                let Some(mut session) = session else { return Change::Keep(None) };
                if !session.rotate(&shown.hash(), Issued { hash: next.hash(), at_ms: now_ms }) {
                    return Change::Keep(None);
                }
                learn(&mut session);
                Change::Write(session.clone(), Some(session))
            })
            .await?;
        Ok(resumed.map(|session| (session, next)))
    }

    /// Begins a session.
    ///
    /// # Errors
    /// See [`KvError`].
    pub(crate) async fn begin(
        &self,
        tenant: &str,
        account: &str,
        visitor: String,
        user: Option<User>,
        now_ms: i64,
    ) -> Result<(Session, Token), KvError> {
        let id = draw_id("s");
        let token = Token::draw(&id);
        let tokens = vec![Issued { hash: token.hash(), at_ms: now_ms }];
        let session = Session { id, visitor, user, tokens, created_ms: now_ms };
        self.bucket.create(&Self::key(tenant, account, &session.id), &session).await?;
        Ok((session, token))
    }

    /// The log of a proven user: the one found or made first, on whichever device that was.
    ///
    /// `thread` is a log this browser has begun already, which becomes theirs if they have none.
    ///
    /// # Errors
    /// See [`KvError`].
    pub(crate) async fn visitor_of(
        &self,
        tenant: &str,
        account: &str,
        user: &str,
        thread: Option<&str>,
    ) -> Result<String, KvError> {
        let key = Self::user_key(tenant, account, user);
        let own = user_visitor(tenant, account, user);
        let proposed = thread.unwrap_or(&own).to_owned();
        self.bucket
            .modify(&key, |known: Option<String>| {
                let visitor = known.unwrap_or_else(|| proposed.clone());
                // Written again each time, so that it does not expire before the log.
                Change::Write(visitor.clone(), visitor)
            })
            .await
    }
}

/// The visitor id of a proven user who has no log yet.
pub(crate) fn user_visitor(tenant: &str, account: &str, user: &str) -> String {
    ids::derive("u", &[tenant, account, user])
}

async fn open_or_make(context: &jetstream::Context, config: kv::Config) -> Result<KvBucket, KvError> {
    let bucket = config.bucket.clone();
    if context.get_key_value(bucket.clone()).await.is_err() {
        // Another replica may have made it meanwhile: opening it says whether it is there.
        if let Err(error) = context.create_key_value(config).await {
            tracing::debug!(%error, bucket, "the bucket was not made");
        }
    }
    KvBucket::open(context, &bucket).await
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn issued(hash: &str, at_ms: i64) -> Issued {
        Issued { hash: hash.to_owned(), at_ms }
    }

    fn session() -> Session {
        Session {
            id: "s_1".to_owned(),
            visitor: "v_1".to_owned(),
            user: None,
            tokens: vec![issued("one", 0)],
            created_ms: 0,
        }
    }

    #[test]
    fn a_lost_welcome_locks_nobody_out_however_often() {
        let mut session = session();
        for lost in 1..50 {
            assert!(session.rotate("one", issued(&format!("lost {lost}"), lost * GRACE_MS)));
        }
        assert!(session.rotate("one", issued("two", 60 * GRACE_MS)));
        assert!(session.rotate("two", issued("three", 61 * GRACE_MS)));
        assert!(!session.accepts("one"), "what was shown before is good no more");
        assert!(session.accepts("two") && session.accepts("three"));
    }

    #[test]
    fn tabs_that_share_a_token_do_not_lock_out_each_other() {
        let mut session = session();
        assert!(session.rotate("one", issued("a", 1)));
        assert!(session.rotate("one", issued("b", 2)));
        assert!(session.rotate("b", issued("c", 3)));
        assert!(session.accepts("a"), "the other tab may have stored its token last");
        assert!(!session.rotate("unknown", issued("d", 4)));
    }

    #[test]
    fn tokens_are_read_as_they_are_written() {
        let token = Token::draw(&draw_id("s"));
        let read = Token::parse(&token.text()).unwrap();
        assert_eq!((read.session.as_str(), read.hash()), (token.session.as_str(), token.hash()));
        for bad in ["", "rt_", "rt_a_b", "rt_a.b.>_x", &token.text()[1..], &format!("{}x", token.text())] {
            assert!(Token::parse(bad).is_none(), "{bad}");
        }
    }
}
