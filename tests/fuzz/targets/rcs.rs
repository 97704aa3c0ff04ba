//! Events of RCS in their envelopes, and answers of RCS for Business.
#![no_main]

use heliograph_channel_rcs::Rcs;
use heliograph_fuzz::{Given, Subject, sign, target};
use serde_json::json;

target!(Rcs, {
    let given = Given {
        provider: None,
        settings: json!({ "agent_id": "acme@rbm.goog", "files": "upload" }),
        secrets: &[
            ("client_token", "made-up-client-token-2026"),
            ("service_account", include_str!("../../../services/channels/rcs/fixtures/service_account.json")),
        ],
    };
    Subject::new(Rcs, given, sign::rcs)
});
