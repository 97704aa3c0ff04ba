//! The accounts of the company that is measured, and their providers' cloud.

use clap::ValueEnum;
use heliograph_channel::{RawAccount, Secrets};
use heliograph_testkit::sandbox::Sandbox;
use serde_json::{Value, json};

use crate::ground::TENANT;

/// A channel that takes part: its account, its customers, and how much they are written to.
pub(super) struct Channel {
    pub(super) name: &'static str,
    /// Its name in the sandbox.
    pub(super) provider: &'static str,
    pub(super) conversations: usize,
    /// Replies a second.
    pub(super) rate: u32,
    /// Its usual rate is that of a small account, and is raised.
    large: bool,
    settings: fn() -> Value,
    secrets: &'static [(&'static str, &'static str)],
    user: fn(usize) -> String,
}

/// Which channel falls ill.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Ill {
    /// Takes the same message twice without showing it twice: every doubt is resolved by asking again, and everything
    /// that cannot leave piles up.
    Line,
    /// Has no such thing: what is in doubt is reported and left to people. One message to a customer every six seconds.
    Whatsapp,
}

/// The two that stay well.
pub(super) const WELL: [Channel; 2] = [
    Channel {
        name: "sms",
        provider: "sinch",
        conversations: 100,
        rate: 30,
        large: true,
        settings: || json!({ "service_plan_id": "made-up-plan", "sender": "+12025550123" }),
        secrets: &[
            ("api_token", "made-up-bench-token"),
            ("webhook_secret", "made-up-bench-webhook-secret-of-sinch"),
        ],
        user: |n| format!("+1212555{n:04}"),
    },
    Channel {
        name: "telegram",
        provider: "telegram",
        conversations: 100,
        rate: 30,
        large: false,
        settings: || json!({ "limits": { "per_second": 1_000 } }),
        secrets: &[
            ("bot_token", "555000111:made-up-bench-bot-token"),
            ("webhook_secret", "made-up-bench-webhook-secret"),
        ],
        user: |n| format!("{}", 700_000_000 + n),
    },
];

const LINE: Channel = Channel {
    name: "line",
    provider: "line",
    conversations: 300,
    rate: 30,
    large: false,
    settings: || json!({ "channel_id": "1234567890" }),
    secrets: &[("channel_secret", "made-up-bench-channel-secret")],
    user: |n| format!("U{n:032x}"),
};

const WHATSAPP: Channel = Channel {
    name: "whatsapp",
    provider: "whatsapp",
    conversations: 300,
    // A third of what the provider allows for so many customers, so that a backlog can be worked off.
    rate: 15,
    large: false,
    settings: || json!({ "phone_number_id": "106540352242922" }),
    secrets: &[
        ("access_token", "made-up-bench-system-user-token"),
        ("app_secret", "made-up-bench-app-secret"),
        ("verify_token", "made-up-bench-verify-token"),
    ],
    user: |n| format!("55119{n:08}"),
};

impl Ill {
    pub(super) fn channel(self) -> Channel {
        match self {
            Self::Line => LINE,
            Self::Whatsapp => WHATSAPP,
        }
    }
}

impl Channel {
    /// Name of the account.
    pub(super) fn account(&self) -> String {
        format!("bench-{}", self.name)
    }

    /// What the provider calls the `n`th customer.
    pub(super) fn user(&self, n: usize) -> String {
        (self.user)(n)
    }

    /// The sandbox's `provider` setting; channels with one provider have none.
    fn kind(&self) -> Option<&'static str> {
        (self.name != self.provider).then_some(self.provider)
    }

    /// The account as the sandbox knows it.
    pub(super) fn raw(&self) -> RawAccount {
        let mut secrets = Secrets::default();
        for (name, value) in self.secrets {
            secrets.add(*name, (*value).into());
        }
        RawAccount {
            tenant: TENANT.to_owned(),
            name: self.account(),
            channel: self.name.to_owned(),
            provider: self.kind().map(str::to_owned),
            base_url: None,
            public_base_url: None,
            settings: (self.settings)(),
            secrets,
        }
    }

    /// The account's resource.
    fn manifest(&self, sandbox: &Sandbox) -> Value {
        let secrets: serde_json::Map<String, Value> = self
            .secrets
            .iter()
            .map(|(name, value)| ((*name).to_owned(), json!({ "value": value })))
            .collect();
        let mut spec = json!({
            "channel": self.name,
            "region": "US",
            "base_url": sandbox.provider_url(self.name, self.kind()),
            "settings": (self.settings)(),
            "secrets": secrets,
        });
        if let Some(kind) = self.kind() {
            spec["provider"] = json!(kind);
        }
        if self.large {
            spec["rate_limit"] = json!({ "per_second": 1_000, "burst": 1_000 });
        }
        resource("ChannelAccount", &self.account(), &spec)
    }
}

/// The tenant with these channels, and a queue that everybody comes to. JSON is YAML.
pub(super) fn manifest(channels: &[&Channel], sandbox: &Sandbox) -> String {
    let names: Vec<_> = channels.iter().map(|channel| channel.name).collect();
    let region = json!({ "name": "north-america", "countries": ["US", "CA"], "channels": names });
    let mut resources = vec![
        json!({
            "apiVersion": "heliograph.dev/v1", "kind": "Tenant", "metadata": { "name": TENANT },
            "spec": { "display_name": "Bench", "locale": "en" },
        }),
        resource(
            "ChannelPolicy",
            "default",
            &json!({ "regions": [region], "default": { "channels": names } }),
        ),
        resource(
            "Queue",
            "support",
            &json!({ "display_name": "Support", "ring_timeout": "60s", "wrap_up": "1s" }),
        ),
        resource("RoutingRule", "everybody", &json!({ "order": 1000, "queue": "support" })),
    ];
    resources.extend(channels.iter().map(|channel| channel.manifest(sandbox)));
    resources.iter().fold(String::new(), |text, resource| text + "---\n" + &resource.to_string() + "\n")
}

fn resource(kind: &str, name: &str, spec: &Value) -> Value {
    json!({
        "apiVersion": "heliograph.dev/v1", "kind": kind, "metadata": { "tenant": TENANT, "name": name },
        "spec": spec,
    })
}
