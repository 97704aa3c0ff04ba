//! Starting and stopping.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use heliograph_fabric::{DeadLetters, Fabric, Ownership, OwnershipOptions, Places};
use heliograph_proto::v1::Capabilities;
use heliograph_runtime::{Check, Health, Shutdown};
use heliograph_store::{
    Redis,
    codes::Codes,
    consent::ConsentStore,
    contacts::{ContactOptions, ContactStore},
    deliveries::DeliveryStore,
    models::ReadModel,
    now_ms,
    objects::Objects,
    questions::Questions,
    resources::{ResourceStore, ResourceView},
    sent::SentLog,
    snapshots::SnapshotStore,
    windows::Windows,
};
use tokio::sync::{mpsc, watch};

use crate::{
    INBOUND_GROUP, OPEN_CONVERSATION, ROUTING_GROUP,
    assignment::{self, Assignment},
    book::{Book, Day, Setting},
    config::RouterConfig,
    error::RouterError,
    intake::{self, Intake},
    metrics::Metrics,
};

/// How long the read model of an open conversation lives in Redis.
const OPEN_TTL: Duration = Duration::from_hours(48);
/// How long the book is left without a look at the calendar: clocks are set, and machines sleep.
const LOOK: Duration = Duration::from_mins(10);

/// What the router stands on.
#[derive(Clone, Debug)]
pub struct RouterDeps {
    /// The broker, provisioned.
    pub fabric: Fabric,
    /// Redis, which may be away.
    pub redis: Redis,
    /// Where snapshots are kept.
    pub snapshots: Objects,
    /// Capabilities of every channel by its name: classes of work and messaging windows.
    pub channels: BTreeMap<String, Capabilities>,
    /// Where readiness is told.
    pub health: Health,
    /// The section `router`.
    pub config: RouterConfig,
}

/// Runs intake and assignment until `shutdown` drains, then hands everything over.
pub async fn run(deps: RouterDeps, shutdown: Shutdown) -> Result<(), RouterError> {
    let RouterDeps { fabric, redis, snapshots, channels, health, config } = deps;
    let health = health.scope("router");
    let (broker, resources) = (health.check("nats"), health.check("resources"));
    let partitions = health.check("partitions");
    fabric.check().await?;
    let layout = fabric.layout().await?;
    let context = fabric.jetstream();
    let view = ResourceStore::open(context).await.map_err(RouterError::bucket)?.watch();
    let _links = watch_link(&fabric, broker);
    tokio::select! {
        () = view.ready() => {}
        () = shutdown.draining() => return Ok(()),
    }
    resources.ready();
    let site = config.site.clone().filter(|site| !site.is_empty()).map(Arc::from);
    let (book, _keeper) = keep_book(view, Setting { channels: Arc::new(channels), site });
    let metrics = Arc::new(Metrics::new());
    let dead = DeadLetters::new(&fabric);
    let open = ReadModel::new(redis.clone(), OPEN_CONVERSATION, OPEN_TTL);
    let (sender, changes) = mpsc::channel(1_024);
    let _model = Task(tokio::spawn(assignment::keep_open_model(open.clone(), changes)));
    let intake = Arc::new(Intake {
        fabric: fabric.clone(),
        places: Places::follow(&fabric, layout.routing),
        dead: dead.clone(),
        contacts: ContactStore::open(context, ContactOptions::default())
            .await
            .map_err(RouterError::bucket)?,
        consent: ConsentStore::open(context).await.map_err(RouterError::bucket)?,
        codes: Codes::open(context, redis.clone()).await.map_err(RouterError::bucket)?,
        deliveries: DeliveryStore::open(context).await.map_err(RouterError::bucket)?,
        sent: SentLog::new(redis.clone()),
        windows: Windows::new(redis.clone()),
        questions: Questions::new(redis.clone()),
        redis,
        open,
        book: book.clone(),
        config: config.intake.clone(),
        metrics: Arc::clone(&metrics),
    });
    let assignment = Arc::new(Assignment {
        ground: fabric.clone(),
        layout,
        dead,
        snapshots: SnapshotStore::new(snapshots, config.assignment.snapshots_kept),
        book,
        open: sender,
        config: config.assignment.clone(),
        metrics,
    });
    let member = config.member.clone().unwrap_or_else(member);
    let options = OwnershipOptions::default();
    let routing = Ownership::run(&fabric, ROUTING_GROUP, layout.routing, &member, options, move |owned| {
        assignment::run(Arc::clone(&assignment), owned)
    });
    let inbound = Ownership::run(&fabric, INBOUND_GROUP, layout.inbound, &member, options, move |owned| {
        intake::run(Arc::clone(&intake), owned)
    });
    partitions.ready();
    tracing::info!(member, "router runs");
    shutdown.draining().await;
    // Intake first: what it appended is still applied here if the partition stays.
    tokio::select! {
        () = async { inbound.shutdown().await; routing.shutdown().await } => {}
        () = shutdown.cancelled() => {}
    }
    Ok(())
}

/// A name for this process that no other has.
fn member() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let host = std::env::var("HOSTNAME").unwrap_or_else(|_| "router".to_owned());
    format!("{host}-{}-{}-{}", std::process::id(), now_ms(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// Keeps the check true to the link.
fn watch_link(fabric: &Fabric, check: Check) -> Task {
    let link = fabric.link();
    Task(tokio::spawn(async move {
        check.follow(link, |link| link.connected, "not connected to NATS").await;
    }))
}

/// Rebuilds the book whenever resources change, and every day: opening hours are told as far ahead as a day allows.
fn keep_book(mut view: ResourceView, setting: Setting) -> (watch::Receiver<Arc<Book>>, Task) {
    let first = Book::build(&view.snapshot(), &setting, Day::of(now_ms()), &Book::default());
    let (sender, book) = watch::channel(Arc::new(first));
    let task = tokio::spawn(async move {
        loop {
            let before = sender.borrow().clone();
            let snapshot = tokio::select! {
                changed = view.changed() => changed,
                () = tokio::time::sleep(before.day.left(now_ms()).min(LOOK)) => view.snapshot(),
            };
            // A clock that is put back does not bring an old day back.
            let day = Day::of(now_ms()).max(before.day);
            if snapshot.revision() == before.revision && day == before.day {
                continue;
            }
            // A large policy takes its time to compile; what is in hand goes on meanwhile.
            let setting = setting.clone();
            let built = tokio::task::spawn_blocking(move || Book::build(&snapshot, &setting, day, &before));
            if let Ok(built) = built.await {
                sender.send_replace(Arc::new(built));
            }
        }
    });
    (book, Task(task))
}

/// A task that ends with whoever holds it.
struct Task(tokio::task::JoinHandle<()>);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}
