//! What a provider sends can hold anything beyond its signature. Each target signs arbitrary bytes as its provider does, so that
//! they reach the parser, and looks at what comes out. What the bytes are, and what must hold, is written where the suite
//! that every channel passes is: it plays again what was kept (`Conformance::corpus`), so both must mean the same.

#[path = "../../../services/shared/testkit/src/conformance/answer.rs"]
#[allow(dead_code, reason = "what an answer should mean is compared by the suite")]
mod answer;
#[path = "../../../services/shared/testkit/src/conformance/anything.rs"]
mod anything;
#[path = "../../../services/shared/testkit/src/conformance/fixture.rs"]
#[allow(dead_code, reason = "files are read by the suite")]
mod fixture;
#[path = "../../../services/shared/testkit/src/conformance/samples.rs"]
mod samples;
pub mod sign;

use heliograph_channel::{Account, Provider, RawAccount, Secrets, Webhook, WebhookRequest};
use serde_json::Value;

/// A channel with an account, and how its provider signs.
pub struct Subject<C: Webhook> {
    channel: C,
    raw: RawAccount,
    account: Account<C::Settings>,
    sign: fn(&RawAccount, &mut WebhookRequest),
}

/// What an account is made of.
pub struct Given<'a> {
    /// The provider, on channels that have several.
    pub provider: Option<&'a str>,
    /// The channel's own settings.
    pub settings: Value,
    /// Secrets by name, made up.
    pub secrets: &'a [(&'a str, &'a str)],
}

impl<C: Webhook + Provider> Subject<C> {
    /// `channel` with this account, whose provider signs by `sign`.
    pub fn new(channel: C, given: Given<'_>, sign: fn(&RawAccount, &mut WebhookRequest)) -> Self {
        let mut secrets = Secrets::default();
        for (name, value) in given.secrets {
            secrets.add(*name, (*value).into());
        }
        let raw = RawAccount {
            tenant: "acme".to_owned(),
            name: "fuzzed".to_owned(),
            channel: channel.name().to_owned(),
            provider: given.provider.map(str::to_owned),
            base_url: None,
            public_base_url: Some("https://hooks.example.test".parse().expect("a URL")),
            settings: given.settings,
            secrets,
        };
        let account = raw.load().expect("the account under test loads");
        Self { channel, raw, account, sign }
    }

    /// Hands the channel `data`: like a file of `answers/`, a provider's answer; like a `.http` file, a request; or a body.
    pub fn play(&self, data: &[u8]) {
        anything::play(&self.channel, &self.account, data, |request| (self.sign)(&self.raw, request));
    }
}

/// A target: the subject is made once.
#[macro_export]
macro_rules! target {
    ($channel:ty, $subject:expr) => {
        static SUBJECT: std::sync::LazyLock<$crate::Subject<$channel>> =
            std::sync::LazyLock::new(|| $subject);
        libfuzzer_sys::fuzz_target!(|data: &[u8]| SUBJECT.play(data));
    };
}
