//! What a policy that is about to change would have decided of real conversations.

use std::collections::{BTreeMap, BTreeSet};

use heliograph_domain::{
    content,
    region::Country,
    resources::{Kind, MessageClass, Stored},
};
use heliograph_fabric::{RangeReader, Stream, subjects::EventFilter};
use heliograph_policy::{Consent, ContactFacts, Customer, Direction, Facts, TenantPolicy, decide};
use heliograph_proto::{
    Timestamp as WireTime,
    v1::{self, event::Payload},
};
use heliograph_store::{consent::ConsentStore, contacts::ContactStore};
use jiff::Timestamp;
use serde::Serialize;

use super::{Action, Admin, AdminError, Planned, compare::Decided, explain::in_force};
use crate::decode;

/// How far back the stream is read at first, in events; each further step reads this many times more.
const FIRST_STEP: u64 = 4_096;
const WIDER: u64 = 4;

/// A conversation that would have been decided differently.
#[derive(Clone, Debug, Serialize)]
pub struct Turned {
    /// The conversation.
    pub conversation: String,
    /// Which way the message went.
    pub direction: Direction,
    /// The customer's country, where it is known.
    pub country: Option<Country>,
    /// The customer's number or id, its middle left out.
    pub customer: String,
    /// The channel.
    pub channel: String,
    /// What it was for.
    pub class: MessageClass,
    /// What the policy in force says.
    pub old: Decided,
    /// What the new one says.
    pub new: Decided,
}

/// What the newest conversations of a tenant say of a change of its policy.
#[derive(Clone, Debug, Serialize)]
pub struct Replay {
    /// The tenant.
    pub tenant: String,
    /// How many conversations were asked about.
    pub conversations: usize,
    /// How many of them would have been decided differently.
    pub turned_conversations: usize,
    /// Their messages: of each conversation the newest in each direction.
    pub turned: Vec<Turned>,
}

/// What is stored of customers.
struct Past {
    contacts: ContactStore,
    consent: ConsentStore,
}

impl Admin {
    /// For every tenant whose policy or calendars would change: its newest conversations, decided by both.
    pub async fn foresee(
        &self,
        planned: &[Planned],
        conversations: usize,
    ) -> Result<Vec<Replay>, AdminError> {
        let changes = |planned: &&Planned| {
            matches!(planned.resource.kind(), Kind::ChannelPolicy | Kind::Calendar)
                && planned.changed().action != Action::Unchanged
        };
        let tenants: BTreeSet<&str> =
            planned.iter().filter(changes).map(|planned| planned.resource.metadata.tenant.as_str()).collect();
        let mut replays = Vec::new();
        for tenant in tenants {
            let stored = self.list(Some(tenant), None).await?;
            let had_one = stored.iter().any(|stored| stored.resource.kind() == Kind::ChannelPolicy);
            // What is in force may be beyond use; then there is nothing to compare with.
            let Some(old) = in_force(&stored, tenant).ok().filter(|_| had_one) else { continue };
            let coming = overlaid(&stored, planned, tenant);
            let new = in_force(&coming, tenant)?;
            replays.push(self.replay_tenant(tenant, &old, &new, conversations).await?);
        }
        Ok(replays)
    }

    async fn replay_tenant(
        &self,
        tenant: &str,
        old: &TenantPolicy,
        new: &TenantPolicy,
        conversations: usize,
    ) -> Result<Replay, AdminError> {
        let past = Past {
            contacts: self.contacts().await?,
            consent: ConsentStore::open(self.fabric.jetstream()).await?,
        };
        let events = self.newest(tenant, conversations).await?;
        let asked: BTreeSet<&str> = events.iter().map(|event| event.conversation.as_str()).collect();
        let mut turned = Vec::new();
        for event in &events {
            turned.extend(past.decide_again(event, old, new).await?);
        }
        let of: BTreeSet<&str> = turned.iter().map(|turned: &Turned| turned.conversation.as_str()).collect();
        let (conversations, turned_conversations) = (asked.len(), of.len());
        Ok(Replay { tenant: tenant.to_owned(), conversations, turned_conversations, turned })
    }

    /// The newest message in each direction of a tenant's newest conversations, the newest first.
    async fn newest(&self, tenant: &str, conversations: usize) -> Result<Vec<v1::Event>, AdminError> {
        let subject = |kind| {
            let none = None;
            EventFilter { tenant, region: none, channel: none, conversation: none, kind: Some(kind) }
                .subject()
        };
        let bad = |error: heliograph_fabric::subjects::SubjectError| AdminError::Question {
            field: "tenant",
            problem: error.to_string(),
        };
        let filters = [subject("message.received").map_err(bad)?, subject("message.accepted").map_err(bad)?];
        let mut found: BTreeMap<(String, bool), (u64, v1::Event)> = BTreeMap::new();
        let mut top = self.fabric.last_sequence(Stream::Events).await?;
        let mut step = FIRST_STEP;
        while top > 0 {
            let after = top.saturating_sub(step);
            let mut range = RangeReader::open(&self.fabric, Stream::Events, filters.clone(), after).await?;
            let mut newer = BTreeMap::new();
            while let Some(record) = range.next().await?
                && record.seq <= top
            {
                if let Some(event) = decode::event(&record.subject, record.payload) {
                    let outbound = matches!(event.payload, Some(Payload::MessageAccepted(_)));
                    newer.insert((event.conversation.clone(), outbound), (record.seq, event));
                }
            }
            // What was read before is newer.
            newer.append(&mut found);
            found = newer;
            let held: BTreeSet<&String> = found.keys().map(|(conversation, _)| conversation).collect();
            if held.len() >= conversations {
                break;
            }
            (top, step) = (after, step.saturating_mul(WIDER));
        }
        let mut newest: Vec<(u64, v1::Event)> = found.into_values().collect();
        newest.sort_by_key(|(sequence, _)| std::cmp::Reverse(*sequence));
        let mut held = BTreeSet::new();
        newest.retain(|(_, event)| {
            held.contains(&event.conversation)
                || held.len() < conversations && held.insert(event.conversation.clone())
        });
        Ok(newest.into_iter().map(|(_, event)| event).collect())
    }
}

/// What will be stored of a tenant once the plan is carried out.
fn overlaid(stored: &[Stored], planned: &[Planned], tenant: &str) -> Vec<Stored> {
    let mut coming: BTreeMap<_, Stored> =
        stored.iter().map(|stored| (stored.resource.key(), stored.clone())).collect();
    for planned in planned.iter().filter(|planned| planned.resource.metadata.tenant == tenant) {
        let version = planned.before.as_ref().map_or(1, |before| before.version + 1);
        let next = Stored {
            resource: planned.resource.clone(),
            version,
            applied_by: String::new(),
            applied_at: Timestamp::UNIX_EPOCH,
        };
        coming.insert(planned.resource.key(), next);
    }
    coming.into_values().collect()
}

impl Past {
    /// Asks both policies about a message, with all that is known about it now; none if they agree.
    async fn decide_again(
        &self,
        event: &v1::Event,
        old: &TenantPolicy,
        new: &TenantPolicy,
    ) -> Result<Option<Turned>, AdminError> {
        let (direction, message) = match &event.payload {
            Some(Payload::MessageReceived(it)) => (Direction::Inbound, it.message.as_ref()),
            Some(Payload::MessageAccepted(it)) => (Direction::Outbound, it.message.as_ref()),
            _ => return Ok(None),
        };
        let Some((message, address)) = message.and_then(|message| Some((message, message.address.as_ref()?)))
        else {
            return Ok(None);
        };
        let address = &v1::Address { channel: event.channel.clone(), ..address.clone() };
        let class = MessageClass::from(message.message_class());
        let contact = match event.contact.as_str() {
            "" => None,
            id => self.contacts.get(&event.tenant, id).await?,
        };
        let contact = contact.as_deref();
        let consent = match contact {
            Some(contact) if direction == Direction::Outbound => {
                let said = self
                    .consent
                    .effective(&event.tenant, &contact.id, &event.channel, class.as_str())
                    .await?;
                Consent::from(said.map(|said| said.choice))
            }
            _ => Consent::Unknown,
        };
        let kind = message.content.as_ref().and_then(|content| content.kind.as_ref());
        let at = event.time.as_ref().map_or(0, WireTime::millis);
        let at = Timestamp::from_millisecond(at).unwrap_or_default();
        let last_seen = contact.and_then(|contact| Timestamp::from_millisecond(contact.last_seen_ms).ok());
        let ask = |in_force: &TenantPolicy| {
            let customer = Customer::new(in_force, contact, Some(address));
            let region = customer.place();
            let known = customer.facts(&region);
            let facts = Facts {
                direction,
                class,
                kind: kind.map_or("", content::kind_name),
                contact: ContactFacts { last_inbound: last_seen, ..known.contact },
                consent,
                // What is in use now says nothing of what was.
                available: None,
                ..known
            };
            decide(&in_force.policy, &facts, at)
        };
        let (before, after) = (ask(old), ask(new));
        if before.outcome == after.outcome {
            return Ok(None);
        }
        Ok(Some(Turned {
            conversation: event.conversation.clone(),
            direction,
            country: after.region.country,
            customer: masked(&address.user_id),
            channel: event.channel.clone(),
            class,
            old: Decided::of(&before),
            new: Decided::of(&after),
        }))
    }
}

/// A customer's number or id with its middle left out: enough to find it again, too little to write it down.
fn masked(id: &str) -> String {
    const HEAD: usize = 4;
    const TAIL: usize = 2;
    let letters: Vec<char> = id.chars().collect();
    if letters.len() <= HEAD + TAIL {
        return letters.iter().take(1).chain(['…'].iter()).collect();
    }
    let (head, tail) = (&letters[..HEAD], &letters[letters.len() - TAIL..]);
    head.iter().chain(['…'].iter()).chain(tail).collect()
}

#[cfg(test)]
mod tests {
    use super::masked;

    #[test]
    fn customers_are_shown_without_their_middle() {
        assert_eq!(masked("+12125550100"), "+121…00");
        assert_eq!(masked("ann"), "a…");
        assert_eq!(masked(""), "…");
    }
}
