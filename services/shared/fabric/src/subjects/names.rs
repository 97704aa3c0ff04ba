//! What there is on the broker, by name: streams, key-value buckets, object stores.

/// The streams, by what they carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Stream {
    /// What channels received, before routing.
    Inbound,
    /// The log the routing machine is driven by.
    Routing,
    /// The public stream of events, which is also the transcript.
    Events,
    /// Work for egress.
    Outbound,
    /// What could not be processed.
    Dead,
}

impl Stream {
    /// Every stream.
    pub const ALL: [Self; 5] = [Self::Inbound, Self::Routing, Self::Events, Self::Outbound, Self::Dead];

    /// Name on the broker.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Inbound => "HG_INBOUND",
            Self::Routing => "HG_ROUTING",
            Self::Events => "HG_EVENTS",
            Self::Outbound => "HG_OUTBOUND",
            Self::Dead => "HG_DEAD",
        }
    }

    /// The subjects it takes.
    pub const fn subjects(self) -> &'static [&'static str] {
        match self {
            Self::Inbound => &["hg.inbound.*.*.*"],
            Self::Routing => &["hg.routing.*.*"],
            Self::Events => &["hg.event.>"],
            // The second holds what is to stand under the first later.
            Self::Outbound => &["hg.outbound.*.*.*", "hg.later.*"],
            Self::Dead => &["hg.dead.*.*.*"],
        }
    }

    /// The stream a subject belongs to.
    pub fn of_subject(subject: &str) -> Option<Self> {
        match subject.strip_prefix("hg.")?.split('.').next()? {
            "inbound" => Some(Self::Inbound),
            "routing" => Some(Self::Routing),
            "event" => Some(Self::Events),
            "outbound" | "later" => Some(Self::Outbound),
            "dead" => Some(Self::Dead),
            _ => None,
        }
    }

    /// The stream with this name on the broker.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stream| stream.name() == name)
    }
}

/// Key-value buckets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Bucket {
    /// Declarative resources of operators and tenants.
    Resources,
    /// Contacts and their addresses.
    Contacts,
    /// Consent, per contact and channel.
    Consent,
    /// How far partitions have been read.
    Cursors,
    /// Members and who owns which partition.
    Leases,
    /// Delivery attempts, and the index of providers' message ids.
    Deliveries,
    /// Which conversations were held with an address.
    Trail,
    /// Codes that customers send from another channel to be recognised.
    Codes,
    /// Counts of messages and refusals, by hour.
    Tally,
    /// Keys that all replicas sign with.
    Keys,
    /// Tenants that moved to another routing partition.
    Places,
}

impl Bucket {
    /// Every bucket.
    pub const ALL: [Self; 11] = [
        Self::Resources,
        Self::Contacts,
        Self::Consent,
        Self::Cursors,
        Self::Leases,
        Self::Deliveries,
        Self::Trail,
        Self::Codes,
        Self::Tally,
        Self::Keys,
        Self::Places,
    ];

    /// Name on the broker.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Resources => "HG_RESOURCES",
            Self::Contacts => "HG_CONTACTS",
            Self::Consent => "HG_CONSENT",
            Self::Cursors => "HG_CURSORS",
            Self::Leases => "HG_LEASES",
            Self::Deliveries => "HG_DELIVERIES",
            Self::Trail => "HG_TRAIL",
            Self::Codes => "HG_CODES",
            Self::Tally => "HG_TALLY",
            Self::Keys => "HG_KEYS",
            Self::Places => "HG_PLACES",
        }
    }

    /// Name of the stream behind the bucket.
    pub fn stream(self) -> String {
        format!("KV_{}", self.name())
    }

    /// Subject of a key.
    pub fn subject(self, key: &str) -> String {
        format!("$KV.{}.{key}", self.name())
    }
}

/// Object stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ObjectBucket {
    /// Snapshots of routing partitions.
    Snapshots,
    /// Media of messages.
    Media,
}

impl ObjectBucket {
    /// Every object store.
    pub const ALL: [Self; 2] = [Self::Snapshots, Self::Media];

    /// Name on the broker.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Snapshots => "HG_SNAPSHOTS",
            Self::Media => "HG_MEDIA",
        }
    }
}
