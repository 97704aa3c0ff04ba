//! The windows that the transcripts tell of, for when Redis does not.
//!
//! A window belongs to an address and may outlive the conversation that it was opened in, so the conversations that were
//! held with the address are looked through, the newest first, as far back as a window can reach. Windows that something
//! other than a message opened (a menu, a subscription) are not told there; they are open for minutes.

use std::time::Duration;

use heliograph_fabric::{Fabric, RangeReader, Stream, subjects::EventFilter};
use heliograph_proto::{
    Timestamp,
    v1::{self, Event, MessageReceived, OutboundMessage, WindowRule, event::Payload},
};
use heliograph_store::{
    contacts::Address,
    now_ms,
    trail::Trail,
    windows::{Window, WindowKey, WindowSet},
};

use super::MESSAGE;
use crate::error::{Failure, chain};

/// Every window the address may still have, each as it was opened, with what was sent since.
pub(super) async fn windows(
    fabric: &Fabric,
    out: &OutboundMessage,
    key: &WindowKey,
    rules: &[WindowRule],
) -> Result<Vec<Window>, Failure> {
    let longest = rules.iter().map(|rule| rule.seconds).max().unwrap_or(0);
    let horizon = now_ms().saturating_sub(longest.saturating_mul(1_000));
    let mut told = Told::default();
    // The trail of the conversation itself may not stand yet.
    told.read(fabric, key, rules, &out.conversation).await?;
    let heard = out.last_inbound_at.as_ref().map(Timestamp::millis);
    if let Some(heard) = heard.filter(|_| !told.elsewhere) {
        told.opened.extend(by_rule(rules, MESSAGE, heard));
    }
    let address = Address::new(&key.channel, &key.account, &key.user_id);
    let trail = Trail::open(fabric.jetstream()).await?;
    for held in trail.of_addresses(&key.tenant, &[address]).await? {
        if held.conversation != out.conversation {
            told.read(fabric, key, rules, &held.conversation).await?;
        }
        // At most one conversation is open at a time: those before this one were over when it began.
        if held.opened_at_ms < horizon {
            break;
        }
    }
    Ok(told.counted())
}

/// What the transcripts tell of an address.
#[derive(Debug, Default)]
struct Told {
    opened: Vec<Window>,
    /// When messages were sent to it; milliseconds.
    sent: Vec<i64>,
    /// The customer's last message in the conversation that was read last came from another address.
    elsewhere: bool,
}

impl Told {
    async fn read(
        &mut self,
        fabric: &Fabric,
        key: &WindowKey,
        rules: &[WindowRule],
        conversation: &str,
    ) -> Result<(), Failure> {
        let filter = |channel, kind| {
            let conversation = Some(conversation);
            let filter = EventFilter {
                tenant: &key.tenant,
                channel,
                conversation,
                kind: Some(kind),
                ..EventFilter::default()
            };
            filter.subject().map_err(|error| Failure::poison("subject", error.to_string()))
        };
        let filters = [filter(None, "message.received")?, filter(Some(&key.channel), "message.sent")?];
        let away = |error| Failure::Away(chain(&error));
        let mut range = RangeReader::open(fabric, Stream::Events, filters, 0).await.map_err(away)?;
        while let Some(record) = range.next().await.map_err(away)? {
            if let Ok(event) = record.envelope().and_then(|envelope| envelope.decode::<Event>()) {
                self.take(key, rules, &event);
            }
        }
        Ok(())
    }

    fn take(&mut self, key: &WindowKey, rules: &[WindowRule], event: &Event) {
        let at_ms = event.time.as_ref().map_or(0, Timestamp::millis);
        match &event.payload {
            Some(Payload::MessageReceived(received)) => {
                self.elsewhere = !is_from(key, event, received);
                if self.elsewhere {
                    return;
                }
                let known = |window: &&v1::Window| rules.iter().any(|rule| rule.kind == window.kind);
                self.opened.extend(received.windows.iter().filter(known).map(as_opened));
                if received.windows.is_empty() {
                    // Of before windows were told.
                    self.opened.extend(by_rule(rules, MESSAGE, at_ms));
                }
            }
            Some(Payload::MessageSent(_)) if is_here(key, event) => self.sent.push(at_ms),
            _ => {}
        }
    }

    /// The windows, with what was sent taken from them as it was then: nothing while one without a count was open, else
    /// from the one that closes first.
    fn counted(mut self) -> Vec<Window> {
        let set: WindowSet = self.opened.into_iter().collect();
        let mut windows: Vec<Window> = set.iter().cloned().collect();
        self.sent.sort_unstable();
        for at in self.sent {
            let mut open: Vec<&mut Window> =
                windows.iter_mut().filter(|window| window.opened_at_ms <= at && window.allows(at)).collect();
            if open.iter().any(|window| window.limit.is_none()) {
                continue;
            }
            if let Some(first) = open.iter_mut().min_by_key(|window| window.expires_at_ms) {
                first.used += 1;
            }
        }
        windows
    }
}

fn is_here(key: &WindowKey, event: &Event) -> bool {
    event.channel == key.channel && (event.account.is_empty() || event.account == key.account)
}

fn is_from(key: &WindowKey, event: &Event, received: &MessageReceived) -> bool {
    let address = received.message.as_ref().and_then(|message| message.address.as_ref());
    is_here(key, event) && address.is_none_or(|address| address.user_id == key.user_id)
}

fn as_opened(window: &v1::Window) -> Window {
    let millis = |at: Option<&Timestamp>| at.map_or(0, Timestamp::millis);
    Window {
        kind: window.kind.clone(),
        opened_at_ms: millis(window.opened_at.as_ref()),
        expires_at_ms: millis(window.expires_at.as_ref()),
        limit: u32::try_from(window.remaining).ok(),
        used: 0,
    }
}

fn by_rule(rules: &[WindowRule], kind: &str, at_ms: i64) -> Option<Window> {
    let rule = rules.iter().find(|rule| rule.kind == kind)?;
    let length = Duration::from_secs(u64::try_from(rule.seconds).unwrap_or(0));
    let limit = u32::try_from(rule.messages).ok().filter(|limit| *limit > 0);
    Some(Window::opened(kind, at_ms, length, limit))
}

#[cfg(test)]
mod tests {
    use super::*;
    use heliograph_proto::v1::{Message, MessageSent};

    fn key() -> WindowKey {
        WindowKey::new("acme", "wechat", "main", "ann")
    }

    fn rules() -> Vec<WindowRule> {
        let rule = |kind: &str, seconds, messages| WindowRule { kind: kind.to_owned(), seconds, messages };
        vec![rule("message", 10, 2), rule("ad", 100, 0)]
    }

    fn event(at_ms: i64, payload: Payload) -> Event {
        let (channel, account) = ("wechat".to_owned(), "main".to_owned());
        let time = Some(Timestamp::from_millis(at_ms));
        Event { channel, account, time, payload: Some(payload), ..Event::default() }
    }

    fn received(user: &str, windows: Vec<v1::Window>) -> Payload {
        let address = Some(v1::Address { user_id: user.to_owned(), ..v1::Address::default() });
        let message = Some(Message { address, ..Message::default() });
        Payload::MessageReceived(MessageReceived { message, windows, ..MessageReceived::default() })
    }

    fn window(kind: &str, opened_at: i64, expires_at: i64, remaining: i32) -> v1::Window {
        v1::Window {
            kind: kind.to_owned(),
            opened_at: Some(Timestamp::from_millis(opened_at)),
            expires_at: Some(Timestamp::from_millis(expires_at)),
            remaining,
        }
    }

    fn told(events: Vec<Event>) -> Told {
        let mut told = Told::default();
        for event in events {
            told.take(&key(), &rules(), &event);
        }
        told
    }

    fn used(told: Told) -> Vec<(String, i64, Option<u32>, u32)> {
        let windows = told.counted();
        windows.iter().map(|it| (it.kind.clone(), it.expires_at_ms, it.limit, it.used)).collect()
    }

    #[test]
    fn windows_are_as_the_events_tell_and_those_of_other_addresses_are_not_ours() {
        let told = told(vec![
            event(0, received("ann", vec![window("ad", 0, 900, -1), window("message", 0, 90, 2)])),
            event(50, received("ann", vec![window("message", 50, 140, 2), window("gone", 50, 999, -1)])),
            event(60, received("ben", vec![window("message", 60, 150, 2)])),
        ]);
        assert!(told.elsewhere);
        let expected = [("ad".to_owned(), 900, None, 0), ("message".to_owned(), 140, Some(2), 0)];
        assert_eq!(used(told), expected);
    }

    #[test]
    fn what_does_not_tell_its_windows_opened_the_one_for_messages() {
        let told = told(vec![event(5, received("ann", Vec::new()))]);
        assert!(!told.elsewhere);
        assert_eq!(used(told), [("message".to_owned(), 10_005, Some(2), 0)]);
    }

    #[test]
    fn what_was_sent_counts_where_it_cost_something() {
        let sent = |at_ms| event(at_ms, Payload::MessageSent(MessageSent::default()));
        let told = told(vec![
            event(0, received("ann", vec![window("ad", 0, 10, -1), window("message", 0, 90, 5)])),
            sent(5),
            sent(20),
            sent(30),
            sent(100),
        ]);
        let expected = [("ad".to_owned(), 10, None, 0), ("message".to_owned(), 90, Some(5), 2)];
        assert_eq!(used(told), expected);
    }
}
