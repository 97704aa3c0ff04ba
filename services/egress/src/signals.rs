//! Shows customers that an agent types and what it has read, on channels that can. Expendable: nothing is caught up on or
//! tried again.

use std::{sync::Arc, time::Duration};

use futures::{StreamExt as _, stream};
use heliograph_fabric::{Fabric, subjects};
use heliograph_proto::{
    Message as _,
    v1::{Address, Event, ReadMark, SignalRequest, Typing, event::Payload, signal_request::Signal},
};
use heliograph_runtime::Shutdown;
use heliograph_store::contacts::ContactStore;

use crate::line::Line;

/// What comes later than this is not worth showing.
const WITHIN: Duration = Duration::from_secs(2);
/// One member of the fleet shows it.
const QUEUE: &str = "egress.signals";

/// Listens for one channel until told to stop.
pub(crate) async fn show(fabric: Fabric, line: Arc<Line>, shutdown: Shutdown) {
    let (Ok(typing), Ok(reading)) =
        (subjects::agents_typing(&line.name), subjects::agents_reading(&line.name))
    else {
        return;
    };
    let client = fabric.client();
    let subscribed = futures::try_join!(
        client.queue_subscribe(typing, QUEUE.to_owned()),
        client.queue_subscribe(reading, QUEUE.to_owned()),
    );
    let mut signals = match subscribed {
        Ok((typing, reading)) => stream::select(typing, reading),
        Err(error) => {
            tracing::warn!(channel = line.name, %error, "what agents type and read will not be shown");
            return;
        }
    };
    loop {
        let message = tokio::select! {
            () = shutdown.draining() => return,
            message = signals.next() => message,
        };
        let Some(message) = message else { return };
        let Ok(event) = Event::decode(message.payload) else { continue };
        if let Some(request) = signal(&line.shared.contacts, &event).await {
            let mut request = tonic::Request::new(request);
            request.set_timeout(WITHIN);
            if let Err(status) = line.client.clone().signal(request).await {
                tracing::debug!(channel = line.name, code = ?status.code(), "a signal was not shown");
            }
        }
    }
}

/// The signal for the customer of the event's conversation; none when their address is not known.
async fn signal(contacts: &ContactStore, event: &Event) -> Option<SignalRequest> {
    let signal = match event.payload.as_ref()? {
        Payload::AgentTyping(typing) => Signal::Typing(Typing { on: typing.on }),
        Payload::AgentRead(read) => Signal::ReadMark(ReadMark { up_to: read.up_to.clone(), until: None }),
        _ => return None,
    };
    let contact = contacts.get(&event.tenant, &event.contact).await.ok()??;
    let here = |channel: &str, account: &str| channel == event.channel && account == event.account;
    let address = contact.addresses.iter().find(|address| here(&address.channel, &address.account))?;
    Some(SignalRequest {
        tenant: event.tenant.clone(),
        account: event.account.clone(),
        address: Some(Address {
            channel: address.channel.clone(),
            account: address.account.clone(),
            user_id: address.user_id.clone(),
            ..Address::default()
        }),
        signal: Some(signal),
    })
}
