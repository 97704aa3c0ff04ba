//! What should be on the broker.

use std::time::Duration;

use crate::subjects::{Bucket, ObjectBucket, Stream};

const DAY: Duration = Duration::from_hours(24);

/// How many partitions each partitioned stream has. Fixed at provisioning: another count sends a conversation's
/// messages to another owner while its earlier ones are still with the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// Of HG_INBOUND.
    pub inbound: u16,
    /// Of HG_ROUTING.
    pub routing: u16,
    /// Of HG_OUTBOUND, for each channel.
    pub outbound: u16,
}

impl Default for Layout {
    fn default() -> Self {
        Self { inbound: 16, routing: 16, outbound: 16 }
    }
}

/// What should be on the broker: names and subjects are fixed, sizes are the operator's.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Partition counts.
    pub layout: Layout,
    /// Copies of every stream: 1 in development, 3 in production.
    pub replicas: usize,
    /// How long inbound messages, routing entries and outbound work are kept. 7 days.
    pub work_age: Duration,
    /// How long dead letters are kept. 30 days.
    pub dead_age: Duration,
    /// Largest size of each message stream in bytes; none for no limit of its own. HG_OUTBOUND never has one: messages
    /// wait in it for their time, and a stream that allows that throws its oldest messages away when it is full.
    pub max_bytes: Option<i64>,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            layout: Layout::default(),
            replicas: 1,
            work_age: 7 * DAY,
            dead_age: 30 * DAY,
            max_bytes: None,
        }
    }
}

/// One stream as planned. Zero durations and `None` mean without limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamSpec {
    /// Name on the broker.
    pub name: String,
    /// For whoever lists the streams.
    pub description: &'static str,
    /// Subjects it takes.
    pub subjects: Vec<String>,
    /// How long messages are kept; zero for ever.
    pub max_age: Duration,
    /// Largest size; none for no limit.
    pub max_bytes: Option<i64>,
    /// How many messages are kept for a subject; none for all.
    pub history: Option<i64>,
    /// Copies.
    pub replicas: usize,
    /// Partition count, kept in the metadata.
    pub partitions: Option<u16>,
    /// Whether replicas may answer reads.
    pub direct: bool,
    /// Whether it is a bucket: roll-ups allowed.
    pub bucket: bool,
    /// Whether single messages may not be deleted (key-value buckets).
    pub deny_delete: bool,
    /// Whether messages may carry a time to live.
    pub message_ttl: bool,
    /// Whether messages may be stored for later. Brokers before 2.12 cannot, and newer ones only where a full stream
    /// drops its oldest messages: so such a stream has no size.
    pub schedules: bool,
}

/// How long the broker recognises a `Nats-Msg-Id`.
pub(crate) const DUPLICATE_WINDOW: Duration = Duration::from_mins(2);

impl Plan {
    /// Every stream of the plan, buckets included.
    pub fn streams(&self) -> Vec<StreamSpec> {
        let streams = Stream::ALL.into_iter().map(|stream| self.stream(stream));
        let buckets = Bucket::ALL.into_iter().map(|bucket| self.bucket(bucket));
        let objects = ObjectBucket::ALL.into_iter().map(|bucket| self.objects(bucket));
        streams.chain(buckets).chain(objects).collect()
    }

    fn stream(&self, stream: Stream) -> StreamSpec {
        let (description, max_age, partitions) = match stream {
            Stream::Inbound => ("What channels received", self.work_age, Some(self.layout.inbound)),
            Stream::Routing => ("Log of the routing machine", self.work_age, Some(self.layout.routing)),
            Stream::Events => ("Public events and transcripts", Duration::ZERO, None),
            Stream::Outbound => ("Work for egress", self.work_age, Some(self.layout.outbound)),
            Stream::Dead => ("What could not be processed", self.dead_age, None),
        };
        let schedules = stream == Stream::Outbound;
        StreamSpec {
            name: stream.name().to_owned(),
            description,
            subjects: stream.subjects().iter().map(|subject| (*subject).to_owned()).collect(),
            max_age,
            max_bytes: self.max_bytes.filter(|_| !schedules),
            history: None,
            replicas: self.replicas,
            partitions,
            direct: stream == Stream::Events,
            bucket: false,
            deny_delete: false,
            message_ttl: false,
            schedules,
        }
    }

    fn bucket(&self, bucket: Bucket) -> StreamSpec {
        let (description, history, max_age) = match bucket {
            Bucket::Resources => ("Resources of operators and tenants", 64, Duration::ZERO),
            Bucket::Contacts => ("Contacts and addresses", 1, Duration::ZERO),
            Bucket::Consent => ("Consent of contacts", 1, Duration::ZERO),
            Bucket::Cursors => ("How far partitions are read", 1, Duration::ZERO),
            Bucket::Leases => ("Members and partition owners", 1, Duration::ZERO),
            Bucket::Deliveries => ("Delivery attempts and provider references", 1, self.work_age),
            Bucket::Trail => ("Conversations by address", 1, Duration::ZERO),
            Bucket::Codes => ("Codes that link addresses", 1, Duration::from_hours(1)),
            Bucket::Places => ("Tenants that moved to another routing partition", 1, Duration::ZERO),
            Bucket::Tally => ("Messages and refusals by hour", 1, 400 * DAY),
            Bucket::Keys => ("Keys that replicas sign with", 1, Duration::ZERO),
        };
        StreamSpec {
            name: bucket.stream(),
            description,
            subjects: vec![format!("$KV.{}.>", bucket.name())],
            max_age,
            max_bytes: None,
            history: Some(history),
            replicas: self.replicas,
            partitions: None,
            direct: true,
            bucket: true,
            deny_delete: true,
            // Tombstones of members that left go by themselves.
            message_ttl: bucket == Bucket::Leases,
            schedules: false,
        }
    }

    fn objects(&self, bucket: ObjectBucket) -> StreamSpec {
        let name = bucket.name();
        StreamSpec {
            name: format!("OBJ_{name}"),
            description: match bucket {
                ObjectBucket::Snapshots => "Snapshots of routing partitions",
                ObjectBucket::Media => "Media of messages",
            },
            subjects: vec![format!("$O.{name}.C.>"), format!("$O.{name}.M.>")],
            max_age: Duration::ZERO,
            max_bytes: None,
            history: None,
            replicas: self.replicas,
            partitions: None,
            direct: true,
            bucket: true,
            deny_delete: false,
            message_ttl: false,
            schedules: false,
        }
    }
}
