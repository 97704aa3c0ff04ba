//! Another channel for a message that could not reach the customer by its own.
//!
//! It goes out as a message of its own, through the routing log, so that it takes its place in the conversation. Its ids
//! follow from the message it stands in for, so doing this twice is doing it once. What was tried is handed on, so a chain
//! of detours comes to an end.

use std::sync::Arc;

use heliograph_domain::{ids, resources::Trigger};
use heliograph_policy::{FallbackAsk, wire};
use heliograph_proto::{
    Timestamp,
    v1::{
        Address, Detour, Message, MessageRerouted, Notice, Reason, RoutingEntry, SendRequested,
        event::Payload, routing_entry,
    },
};
use heliograph_store::now_ms;

use super::{
    case::{Case, Memory},
    check::Decided,
};
use crate::{
    error::Failure,
    event,
    judge::Asked,
    routing::{self, SCOPE},
};

/// What became of the attempt to find another channel.
pub(super) enum Detoured {
    /// Another message stands in.
    Done,
    /// Nothing does, and why not: a reason for each channel that was looked at; none where no rule asks for another.
    No(Vec<Reason>),
}

/// The channels to try, and the rule that says so.
#[derive(Debug, Clone)]
pub(super) struct Ways {
    pub(super) rule: String,
    /// The best first.
    pub(super) channels: Vec<Arc<str>>,
}

impl Case<'_> {
    /// Finds another channel for the message. `named` are those that a rule of the policy names for it; without any, the
    /// policy's fallback rules are asked.
    pub(super) async fn reroute(
        &self,
        trigger: Trigger,
        named: Option<&Ways>,
        memory: &mut Memory,
    ) -> Result<Detoured, Failure> {
        // What confirms an opt-out belongs where it was asked for.
        if self.out.notice() != Notice::Unspecified {
            return Ok(Detoured::No(Vec::new()));
        }
        let expires = self.out.expires_at.as_ref().map(Timestamp::millis);
        if expires.is_some_and(|expires| expires <= now_ms()) {
            return Ok(Detoured::No(Vec::new()));
        }
        let tried = self.tried();
        let decided = self.decided(memory).await?;
        let ways = named.cloned().or_else(|| self.fallback(trigger, &tried, decided));
        let Some(ways) = ways else {
            return Ok(Detoured::No(Vec::new()));
        };
        let mut reasons = Vec::new();
        for channel in &ways.channels {
            if tried.iter().any(|tried| **tried == **channel) {
                continue;
            }
            if let Some((address, verdict)) = self.reachable(&decided.asked, channel, &mut reasons).await? {
                self.stand_in_by(trigger, &ways, &tried, &address, verdict).await?;
                return Ok(Detoured::Done);
            }
        }
        if reasons.is_empty() {
            reasons.push(reason("none_left", format!("rule {}: every channel was tried", ways.rule)));
        }
        Ok(Detoured::No(reasons))
    }

    /// Channels it was tried on, this one last.
    pub(super) fn tried(&self) -> Vec<String> {
        let before = self.out.detour.as_ref().map_or(&[][..], |detour| &detour.channels);
        before.iter().chain([&self.line.name]).cloned().collect()
    }

    /// What the policy's fallback rules say.
    pub(super) fn fallback(&self, trigger: Trigger, tried: &[String], decided: &Decided) -> Option<Ways> {
        let tried: Vec<&str> = tried.iter().map(String::as_str).collect();
        let ask = FallbackAsk {
            trigger,
            region: &decided.judged.known.region,
            channel: &self.line.name,
            class: decided.asked.class,
            tried: &tried,
        };
        let plan = decided.asked.book.policy.fallback(&ask)?;
        Some(Ways { rule: plan.rule.to_string(), channels: plan.to })
    }

    /// The contact's address on a channel that policy lets it be written to on, with what policy says.
    async fn reachable(
        &self,
        asked: &Asked,
        channel: &str,
        reasons: &mut Vec<Reason>,
    ) -> Result<Option<(Address, heliograph_proto::v1::Verdict)>, Failure> {
        let addresses = asked.addresses(channel);
        if addresses.is_empty() {
            let text =
                format!("{channel}: the contact has no address there that an account in use writes to");
            reasons.push(reason("no_address", text));
        }
        let shared = &self.line.shared;
        for address in addresses {
            let now = now_ms();
            let window = shared.window(&asked.tenant, &address, now).await;
            let judged = shared.judge(asked, &address, window, now).await?;
            if asked.may_go(&judged.verdict, channel) {
                return Ok(Some((address, wire::verdict(&judged.verdict))));
            }
            let why = judged.verdict.reason();
            reasons.push(reason("not_allowed", format!("{channel}: {} ({})", why, why.code())));
        }
        Ok(None)
    }

    /// Hands the message on, to that address.
    async fn stand_in_by(
        &self,
        trigger: Trigger,
        ways: &Ways,
        tried: &[String],
        address: &Address,
        verdict: heliograph_proto::v1::Verdict,
    ) -> Result<(), Failure> {
        let step = tried.len().to_string();
        let derived = |prefix| ids::derive(prefix, &[&self.message.id, "detour", &step]);
        let now = now_ms();
        let detour = Detour {
            message_id: self.message.id.clone(),
            trigger: trigger.as_str().to_owned(),
            rule: ways.rule.clone(),
            channels: tried.to_vec(),
        };
        let message = Message {
            id: derived(ids::MESSAGE),
            address: Some(address.clone()),
            time: Some(Timestamp::from_millis(now)),
            // A reference to another channel's message means nothing there.
            reply_to: None,
            ..self.message.clone()
        };
        let new_message_id = message.id.clone();
        let entry = RoutingEntry {
            id: derived("ent"),
            tenant: self.out.tenant.clone(),
            kind: Some(routing_entry::Kind::Send(SendRequested {
                command_id: derived(ids::COMMAND),
                contact: self.out.contact.clone(),
                scope: SCOPE.to_owned(),
                message: Some(message),
                verdict: Some(verdict),
                expires_at: self.out.expires_at,
                notice: self.out.notice,
                detour: Some(detour),
            })),
        };
        self.owned.fence.check().map_err(|_| Failure::Lost)?;
        let shared = &self.line.shared;
        routing::append(&shared.log, &entry, now, None).await?;
        let rerouted = MessageRerouted {
            message_id: self.message.id.clone(),
            new_message_id,
            from_channel: self.line.name.clone(),
            to: Some(address.clone()),
            trigger: trigger.as_str().to_owned(),
            rule: ways.rule.clone(),
        };
        let event = event::about(self.out, &["rerouted"], Payload::MessageRerouted(rerouted), now);
        self.publish(&event).await?;
        shared.metrics.outcome(&self.line.name, "rerouted");
        Ok(())
    }
}

fn reason(code: &str, text: String) -> Reason {
    Reason { code: format!("fallback.{code}"), text, detail: None }
}
