//! `heliograph`: read the command line and the configuration, start telemetry, do what was asked, say how it went.

use std::process::ExitCode;

use clap::Parser as _;
use heliograph::{
    cli::{Cli, Command},
    commands, failure, output,
    settings::{self, Purpose},
};
use heliograph_runtime::{exit, telemetry};
use tokio::runtime::{Builder, Runtime};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = runtime().map_err(anyhow::Error::from).and_then(|runtime| {
        let outcome = runtime.block_on(start(cli));
        // What a second Ctrl-C left behind must not hold the process.
        runtime.shutdown_background();
        outcome
    });
    let code = outcome.unwrap_or_else(|error| {
        let code = failure::exit_code(&error);
        if code != exit::OK {
            output::note(&format!("heliograph: {error:#}"));
        }
        code
    });
    ExitCode::from(code)
}

/// At least two workers: flushing telemetry on one would wait for itself.
fn runtime() -> std::io::Result<Runtime> {
    let workers = std::thread::available_parallelism().map_or(2, |cores| cores.get().max(2));
    Builder::new_multi_thread().worker_threads(workers).enable_all().build()
}

/// Services and `dev` run until told to stop and keep telemetry for themselves; commands do one thing.
async fn start(cli: Cli) -> anyhow::Result<u8> {
    match cli.command {
        Command::Run(args) => commands::run::run(&args, &cli.common).await,
        Command::Dev(args) => commands::dev::run(&args, &cli.common).await,
        Command::Simulate(args) => commands::simulate::run(&args),
        Command::Channels(args) => commands::channels::run(&args).map(|()| exit::OK),
        command => {
            let settings = settings::load(&cli.common, Purpose::Command)?;
            let _telemetry = telemetry::init(&settings.telemetry)?;
            match command {
                Command::Apply(args) => commands::resources::apply(&args, &settings).await?,
                Command::Get(args) => commands::resources::get(&args, &settings).await?,
                Command::Diff(args) => return commands::resources::diff(&args, &settings).await,
                Command::Delete(args) => commands::resources::delete(&args, &settings).await?,
                Command::Policy(args) => return commands::policy::run(&args, &settings).await,
                Command::Route(args) => commands::route::run(&args, &settings).await?,
                Command::Tenant(args) => commands::tenant::run(&args, &settings).await?,
                Command::Contact(args) => commands::contact::run(&args, &settings).await?,
                Command::Send(args) => commands::send::run(&args, &settings).await?,
                Command::Tail(args) => commands::tail::run(&args, &settings).await?,
                Command::Dead(args) => commands::dead::run(&args, &settings).await?,
                Command::Provision(args) => commands::provision::run(&args, &settings).await?,
                Command::Doctor(args) => commands::doctor::run(&args, &settings).await?,
                Command::Config(args) => commands::config::run(&args, &settings)?,
                Command::Run(_) | Command::Dev(_) | Command::Simulate(_) | Command::Channels(_) => {
                    unreachable!("taken above")
                }
            }
            Ok(exit::OK)
        }
    }
}
