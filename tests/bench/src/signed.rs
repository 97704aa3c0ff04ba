//! Webhooks as Sinch posts them, signed before the clock starts.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::ground::{ACCOUNT, WEBHOOK_SECRET};

/// What a customer writes: about as long as a text message is.
const TEXT: &str = "Hello, my parcel was to arrive on Tuesday and the tracking page still says that it waits in \
                    the depot. Could you find out when it comes? Thank you!";

/// Makes requests, each with an id nobody used before.
pub(crate) struct Signer {
    run: u64,
    next: u64,
    from: u64,
    customers: u64,
}

impl Signer {
    /// Messages of this many customers in turn; `run` sets their ids apart from those of other signers.
    pub(crate) fn new(run: u64, customers: u64) -> Self {
        Self { run, next: 0, from: 0, customers }
    }

    /// From here on, messages of `count` customers in turn, `from` the first.
    pub(crate) fn customers(&mut self, from: u64, count: u64) {
        (self.from, self.customers) = (from, count);
    }

    /// `count` whole HTTP/1.1 requests.
    pub(crate) fn requests(&mut self, count: usize) -> Vec<Bytes> {
        let now = jiff::Timestamp::now();
        (0..count).map(|_| self.request(now)).collect()
    }

    /// The number of the next message.
    pub(crate) fn next(&self) -> u64 {
        self.next
    }

    fn id(&self, n: u64) -> String {
        format!("{:08x}{n:018x}", self.run)
    }

    fn request(&mut self, now: jiff::Timestamp) -> Bytes {
        let n = self.next;
        self.next += 1;
        let (id, seconds) = (self.id(n), now.as_second());
        // Numbers that exist: the last seven digits tell customers apart.
        let from = 12_120_000_000 + 2_000_000 + self.from + n % self.customers;
        let body = format!(
            r#"{{"type":"mo_text","id":"{id}","from":"{from}","to":"12025550123","body":"{TEXT}","operator_id":"310260","received_at":"{now:.3}"}}"#
        );
        let mut mac =
            Hmac::<Sha256>::new_from_slice(WEBHOOK_SECRET.as_bytes()).expect("HMAC takes keys of any length");
        mac.update(body.as_bytes());
        mac.update(format!(".{id}.{seconds}").as_bytes());
        let signature = STANDARD.encode(mac.finalize().into_bytes());
        Bytes::from(format!(
            "POST /sms/{ACCOUNT} HTTP/1.1\r\nhost: 127.0.0.1\r\nuser-agent: bench\r\n\
             content-type: application/json\r\nx-sinch-webhook-signature: {signature}\r\n\
             x-sinch-webhook-signature-nonce: {id}\r\nx-sinch-webhook-signature-timestamp: {seconds}\r\n\
             x-sinch-webhook-signature-algorithm: HmacSHA256\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        ))
    }
}

/// The number of the message with this id.
pub(crate) fn number(id: &str) -> Option<u64> {
    u64::from_str_radix(id.get(8..)?, 16).ok()
}
