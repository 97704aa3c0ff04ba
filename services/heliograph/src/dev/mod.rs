//! The development fleet: brokers of its own, every service in one process, a sample tenant, playing customers. The
//! services speak NATS and gRPC over loopback as they do in production.

mod brokers;
mod customers;
mod keepsakes;
mod landing;
mod report;
mod tenant;

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use anyhow::Context as _;
use heliograph_fabric::{
    Fabric, Layout, Plan, Stream,
    provision::{ProvisionOptions, provision},
};
use heliograph_runtime::{
    Health, Lifecycle, Settings, Shutdown, TelemetryGuard,
    config::{GrpcSettings, HttpSettings},
    grpc::GrpcServer,
    http::HttpServer,
    telemetry,
};
use heliograph_testkit::sandbox::{Customer, Sandbox, SandboxOptions};

use crate::{
    admin::{Admin, Sandboxed},
    cli::Common,
    commands::dev::DevArgs,
    connect,
    fleet::{Ground, Process, Servers, elsewhere, known},
    output,
    settings::{self, Purpose},
};
use brokers::Brokers;
use keepsakes::Keepsakes;
use report::Report;
use tenant::Tenants;

/// Partitions of a first start: enough to see them at work, few enough to start at once on a small machine.
const PARTITIONS: u16 = 4;
/// How long the sandbox may take to finish what it has in hand.
const SANDBOX_PATIENCE: Duration = Duration::from_secs(2);
/// When readiness takes this long, the person is told what is missing.
const READY_PATIENCE: Duration = Duration::from_secs(20);

/// How long the router may take to tell the machine of the tenants, and how often that is looked at.
const TOLD_PATIENCE: Duration = Duration::from_secs(3);
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Everything that was started, in the order in which it ends.
struct Started {
    lifecycle: Lifecycle,
    telemetry: TelemetryGuard,
    sandbox: Option<Arc<Sandbox>>,
    brokers: Brokers,
    report: Report,
    /// Keeps the data directory ours to the very end.
    keepsakes: Keepsakes,
}

/// Starts everything, says where to look, runs until Ctrl-C, and stops in order.
pub async fn run(args: &DevArgs, common: &Common) -> anyhow::Result<u8> {
    let interrupted = tokio::signal::ctrl_c();
    let started = tokio::select! {
        started = start(args, common) => started?,
        // What was started so far ends with the future that started it.
        _ = interrupted => return Ok(heliograph_runtime::exit::OK),
    };
    let Started { lifecycle, telemetry, sandbox, brokers, report, keepsakes } = started;
    let shutdown = lifecycle.shutdown();
    let farewell = tokio::spawn(async move {
        shutdown.requested().await;
        output::note("\nStopping; a second Ctrl-C ends at once.");
    });
    let code = lifecycle.run_to_exit(Some(telemetry)).await;
    farewell.abort();
    report.remove();
    if let Some(sandbox) = sandbox.and_then(Arc::into_inner) {
        // A customer in the middle of a sentence is cut off.
        let _ = tokio::time::timeout(SANDBOX_PATIENCE, sandbox.stop()).await;
    }
    tokio::select! {
        () = brokers.stop() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    drop(keepsakes);
    Ok(code)
}

async fn start(args: &DevArgs, common: &Common) -> anyhow::Result<Started> {
    let keepsakes = Keepsakes::open(&args.data_dir)?;
    if let Some(file) = &args.ready_file {
        // Whoever waits for it must not find that of an earlier run.
        let _ = std::fs::remove_file(file);
    }
    let tenants = Tenants::read(&args.apply)?;
    let brokers = Brokers::start(common, &keepsakes).await?;
    // Bound first: accounts are told where the ingress is, with the port that was found.
    let health = Health::new();
    let http = HttpServer::bind(&HttpSettings { addr: args.http, ..HttpSettings::default() })
        .await
        .map_err(|error| elsewhere(&error, "--http"))?;
    let grpc = GrpcServer::bind(&GrpcSettings { addr: args.grpc, ..GrpcSettings::default() }, &health)
        .await
        .map_err(|error| elsewhere(&error, "--grpc"))?;
    let sandbox = if args.no_sandbox {
        None
    } else {
        let options = SandboxOptions { addr: args.sandbox, ..SandboxOptions::default() };
        Some(Sandbox::start(options).await.context("the sandbox cannot listen; --sandbox says where")?)
    };
    let sandboxed = Sandboxed {
        provider_base: sandbox.as_ref().map(Sandbox::base_url).or(tenants.nowhere()),
        public_base: format!("http://{}", reachable(http.local_addr())),
    };
    let settings = configure(common, &keepsakes, &tenants, &sandboxed, &brokers)?;
    let telemetry = telemetry::init(&settings.telemetry)?;
    let mut lifecycle = Lifecycle::new(settings.shutdown.clone(), health.clone());

    lay_out(&settings).await?;
    let ground = Ground::connect(settings, "heliograph-dev", health.clone(), lifecycle.shutdown()).await?;
    let admin = Admin::open(&ground.fabric, connect::rules(&ground.settings)?).await?;
    tenants.apply(&admin).await?;

    let names: Vec<String> = known().into_iter().map(|(name, _)| name.to_owned()).collect();
    let ready = ready(health.clone(), ground.fabric.clone());
    let process = Process::start(&names, ground, Servers { http, grpc }).await?;
    let report =
        Report::make(args, &keepsakes, &brokers, process.addresses(), &sandboxed, sandbox.as_ref(), &admin)
            .await?;
    if let Some(sandbox) = &sandbox {
        customers::introduce(sandbox, &admin, &sandboxed).await?;
    }
    let landing = landing::router(&report);
    process.serve(&mut lifecycle, &telemetry.handle(), landing);
    let scenes = match &sandbox {
        Some(sandbox) => customers::scenes(sandbox, &admin).await?,
        None => Vec::new(),
    };
    let sandbox = sandbox.map(Arc::new);
    announce(ready, lifecycle.shutdown(), report.clone(), args.ready_file.clone(), sandbox.clone(), scenes);
    Ok(Started { lifecycle, telemetry, sandbox, brokers, report, keepsakes })
}

/// The configuration of the whole process: production's, with the defaults a laptop wants.
fn configure(
    common: &Common,
    keepsakes: &Keepsakes,
    tenants: &Tenants,
    sandboxed: &Sandboxed,
    brokers: &Brokers,
) -> anyhow::Result<Settings> {
    let tokens = serde_json::to_string(&keepsakes.api_tokens(tenants.names()))?;
    let builder = settings::builder(common, Purpose::Service)
        .default_value("telemetry.log_format", "text")
        .default_value("telemetry.log_filter", settings::log_filter(common.verbose, "warn"))
        .default_value("telemetry.service_name", "heliograph-dev")
        .default_value("nats.name", "heliograph-dev")
        .default_value("shutdown.drain_seconds", "0")
        .default_value("shutdown.grace_seconds", "5")
        .default_value("channel.inline_secrets", "true")
        .default_value("channel.private_networks", "true")
        .default_value("desk.dev_users", "true")
        .default_value("desk.session_secret", keepsakes.session_secret())
        .default_value("admin.token", keepsakes.admin_token())
        .default_value("admin.sandbox", &serde_json::to_string(sandboxed)?)
        .default_value("media.public_url", &sandboxed.public_base)
        .default_value("egress.api_tokens", &tokens)
        .default_value("streams.api_tokens", &tokens)
        .flag("nats.url", &brokers.nats_url, "--nats-url")
        .flag("redis.url", &brokers.redis_url, "--redis-url");
    Ok(builder.load()?)
}

/// Provisions the broker; one that is laid out keeps its partitions.
async fn lay_out(settings: &Settings) -> anyhow::Result<()> {
    let fabric = connect::fabric(settings, "heliograph-dev").await?;
    let usual = Layout { inbound: PARTITIONS, routing: PARTITIONS, outbound: PARTITIONS };
    let layout = fabric.layout().await.unwrap_or(usual);
    provision(&fabric, &Plan { layout, ..Plan::default() }, ProvisionOptions::default()).await?;
    Ok(())
}

/// An address of ours as this machine reaches it: everywhere is here, too.
fn reachable(addr: SocketAddr) -> SocketAddr {
    let ip = match addr.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, addr.port())
}

/// Once everything is ready: says where to look, and lets the customers write.
fn announce(
    ready: impl Future<Output = ()> + Send + 'static,
    shutdown: Shutdown,
    report: Report,
    ready_file: Option<PathBuf>,
    sandbox: Option<Arc<Sandbox>>,
    scenes: Vec<(Customer, Vec<String>)>,
) {
    tokio::spawn(async move {
        tokio::select! {
            () = ready => {}
            () = shutdown.requested() => return,
        }
        if let Err(error) = report.publish(ready_file.as_deref()) {
            output::note(&format!("heliograph: {error:#}"));
            shutdown.request();
            return;
        }
        if let Some(sandbox) = sandbox {
            for (customer, lines) in scenes {
                sandbox.play(customer, lines);
            }
        }
    });
}

/// Waits until everything is ready, and tells the person what is missing when that takes long.
async fn ready(health: Health, fabric: Fabric) {
    while tokio::time::timeout(READY_PATIENCE, health.ready()).await.is_err() {
        let checks = health.report().checks;
        let missing: Vec<String> = checks
            .iter()
            .filter(|(_, state)| !state.ready)
            .map(|(name, state)| format!("{name} ({})", state.reason.as_deref().unwrap_or("not ready")))
            .collect();
        output::note(&format!("still starting: {}", missing.join(", ")));
    }
    // The router tells the machine of the tenants' queues by the routing log; a customer who came before that would wait
    // in a queue nobody knows yet.
    let told = async {
        while fabric.last_sequence(Stream::Routing).await.unwrap_or_default() == 0 {
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    };
    // A fleet without tenants has nothing to tell.
    let _ = tokio::time::timeout(TOLD_PATIENCE, told).await;
}
